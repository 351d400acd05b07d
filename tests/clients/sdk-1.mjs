// The TypeScript SDK, 1.x. Usage: CTXFY_KEY=... node sdk-1.mjs URL
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { travel } from "./journey.mjs";

const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]), {
  requestInit: { headers: { Authorization: `Bearer ${process.env.CTXFY_KEY}` } },
});
await travel(new Client({ name: "test", version: "1" }), transport);
