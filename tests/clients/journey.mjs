// What every JavaScript client does: list, get, complete, read, make a mistake. One line of JSON comes out.

export async function travel(client, transport) {
  try {
    await client.connect(transport);
    const { prompts } = await client.listPrompts();
    const rendered = await client.getPrompt({
      name: "code-review",
      arguments: { language: "python", code: "a<b && c" },
    });
    const { completion } = await client.complete({
      ref: { type: "ref/prompt", name: "code-review" },
      argument: { name: "language", value: "py" },
    });
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: "ctxfy://style-guide" });
    const mistake = await client
      .getPrompt({ name: "code-review", arguments: { language: "cobol" } })
      .then(() => null, ({ code, data }) => ({ code, data }));
    console.log(
      JSON.stringify({
        protocol: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
        prompts: prompts.map(({ name }) => name),
        messages: rendered.messages,
        completions: completion.values,
        resources: resources.map(({ uri }) => uri),
        read: contents[0].text,
        mistake,
      }),
    );
  } catch (error) {
    console.log(JSON.stringify({ refused: String(error) }));
  } finally {
    await client.close();
  }
}
