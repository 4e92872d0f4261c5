const chunkChars = 32_768;

/**
 * Lines of JSON as a body, written as they are read: however many there are, no more than a few of
 * them are in memory. Nothing is read that nobody takes.
 */
export function streamLines(lines: AsyncIterable<unknown>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let text = "";
    for await (const line of lines) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length < chunkChars) continue;
      yield encoder.encode(text);
      text = "";
    }
    if (text !== "") yield encoder.encode(text);
  }
  const iterator = chunks();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return(undefined);
    },
  });
}
