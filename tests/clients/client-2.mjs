// The TypeScript client, 2.x. Usage: CTXFY_KEY=... node client-2.mjs URL legacy|auto
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { travel } from "./journey.mjs";

const [, , url, mode] = process.argv;
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${process.env.CTXFY_KEY}` } },
});
const options = mode === "legacy" ? {} : { versionNegotiation: { mode } };
await travel(new Client({ name: "test", version: "1" }, options), transport);
