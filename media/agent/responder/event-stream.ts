import { createParser } from 'eventsource-parser';

/** An event that never ends is not kept for ever. */
const MAX_EVENT_CHARACTERS = 1_000_000;

/**
 * The data of each event of a `text/event-stream` (WHATWG HTML §9.2.6), whose bytes come in any portions. Event names,
 * ids and retry times are of no use here and dropped. Throws when an event exceeds one million characters.
 */
export async function* eventData(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const events: string[] = [];
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: ({ data }) => void events.push(data),
    onError: (error) => {
      // The others are fields that nobody knows, and are passed over.
      if (error.type === 'max-buffer-size-exceeded') throw new RangeError('event too long', { cause: error });
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* events.splice(0);
  }
}
