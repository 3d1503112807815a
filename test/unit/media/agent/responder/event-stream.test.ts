import fc from 'fast-check';
import { eventData } from '../../../../../media/agent/responder/event-stream';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* stream(portions: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* portions;
}

async function parse(...portions: readonly Uint8Array[]): Promise<string[]> {
  const events: string[] = [];
  for await (const data of eventData(stream(portions))) events.push(data);
  return events;
}

describe('eventData', () => {
  test.each([
    ['data: one\n\ndata: two\n\n', ['one', 'two']],
    ['data: one\r\n\r\n', ['one']],
    ['data: one\r\rdata: two\n\n', ['one', 'two']],
    ['data:one\n\n', ['one']],
    ['data: a\ndata: b\n\n', ['a\nb']],
    [': comment\nevent: x\nid: 1\nretry: 5\ndata: one\n\n', ['one']],
    ['unheard-of: x\nretry: soon\ndata: one\n\n', ['one']],
    ['\uFEFFdata: one\n\n', ['one']],
    ['data\n\n', ['']],
    ['\n\n\n', []],
    ['data: unfinished', []],
    ['data:  two spaces\n\n', [' two spaces']],
  ])('%j holds the events %j', async (text, events) => {
    expect(await parse(encode(text))).toEqual(events);
  });

  test('gives the same events for any portioning of the bytes', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, ' ')}`),
      fc.constantFrom(': ping', 'event: x', '', 'data', 'data: {"a":"ü€😀"}'),
    );
    const end = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        async (lines, sizes) => {
          const bytes = encode(lines.map(([content, eol]) => content + eol).join('') + '\n\n');
          const portions: Uint8Array[] = [];
          for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) {
            portions.push(bytes.subarray(at, at + sizes[i % sizes.length]!));
          }
          expect(await parse(...portions)).toEqual(await parse(bytes));
        },
      ),
    );
  });

  test('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        for (const event of await parse(bytes)) expect(typeof event).toBe('string');
      }),
    );
  });

  test('gives an event as soon as it is whole', async () => {
    const events = eventData(stream([encode('data: one\n\ndata: tw'), encode('o\n\n')]));
    expect(await events.next()).toEqual({ done: false, value: 'one' });
    expect(await events.next()).toEqual({ done: false, value: 'two' });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test.each([
    ['many lines', Array.from({ length: 20 }, () => encode(`data: ${'x'.repeat(100_000)}\n`))],
    ['one line', Array.from({ length: 20 }, () => encode('data: ' + 'x'.repeat(100_000)))],
  ])('gives up on an event without an end, of %s', async (_, portions) => {
    await expect(parse(...portions)).rejects.toThrow(RangeError);
  });
});
