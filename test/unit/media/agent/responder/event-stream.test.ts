import fc from 'fast-check';
import { EventStreamParser } from '../../../../../media/agent/responder/event-stream';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(text: string): string[] {
  return new EventStreamParser().push(encode(text));
}

describe('EventStreamParser', () => {
  test.each([
    ['data: one\n\ndata: two\n\n', ['one', 'two']],
    ['data: one\r\n\r\n', ['one']],
    ['data:one\n\n', ['one']],
    ['data: a\ndata: b\n\n', ['a\nb']],
    [': comment\nevent: x\nid: 1\nretry: 5\ndata: one\n\n', ['one']],
    ['data\n\n', ['']],
    ['\n\n\n', []],
    ['data: unfinished', []],
    ['data:  two spaces\n\n', [' two spaces']],
  ])('%j holds the events %j', (text, events) => {
    expect(parse(text)).toEqual(events);
  });

  test('gives the same events for any portioning of the bytes', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, ' ')}`),
      fc.constantFrom(': ping', 'event: x', '', 'data', 'data: {"a":"ü€😀"}'),
    );
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        (lines, portions) => {
          const text = lines.map(([content, eol]) => content + eol).join('') + '\n\n';
          const bytes = encode(text);
          const parser = new EventStreamParser();
          const events: string[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = portions[i % portions.length]!;
            events.push(...parser.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(events).toEqual(parse(text));
        },
      ),
    );
  });

  test('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const event of new EventStreamParser().push(bytes)) expect(typeof event).toBe('string');
      }),
    );
  });

  test('gives up on an event without an end', () => {
    const parser = new EventStreamParser();
    expect(() => {
      for (let i = 0; i < 20; i++) parser.push(encode(`data: ${'x'.repeat(100_000)}\n`));
    }).toThrow(RangeError);
  });
});
