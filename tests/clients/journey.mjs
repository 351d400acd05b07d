// What every JavaScript client does: list, get, complete, make a mistake. One line of JSON comes out.

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
    const mistake = await client
      .getPrompt({ name: "code-review", arguments: { language: "cobol" } })
      .then(() => null, ({ code, data }) => ({ code, data }));
    console.log(
      JSON.stringify({
        protocol: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
        prompts: prompts.map(({ name }) => name),
        messages: rendered.messages,
        completions: completion.values,
        mistake,
      }),
    );
  } catch (error) {
    console.log(JSON.stringify({ refused: String(error) }));
  } finally {
    await client.close();
  }
}
