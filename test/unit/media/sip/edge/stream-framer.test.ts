import fc from 'fast-check';

import { parseMessage } from '../../../../../media/sip/message/parser';
import { StreamFramer } from '../../../../../media/sip/edge/stream-framer';
import { leastCpuMs } from '../../../../support/least-cpu';

function frame(chunks: readonly Buffer[]): { messages: string[]; pings: number; partial: boolean } {
  const messages: string[] = [];
  let pings = 0;
  const framer = new StreamFramer({
    onMessage: (message) => messages.push(message.toString('latin1')),
    onPing: () => (pings += 1),
  });
  for (const chunk of chunks) framer.push(chunk);
  return { messages, pings, partial: framer.partial };
}

describe('stream framer', () => {
  const message = fc
    .record({
      name: fc.constantFrom('Content-Length', 'content-length ', 'l', 'L\t'),
      body: fc.string({ maxLength: 60 }).map((text) => Buffer.from(text, 'utf8').toString('latin1')),
      other: fc.stringMatching(/^[ -~]{0,40}$/),
    })
    .map(({ name, body, other }) => `OPTIONS sip:a SIP/2.0\r\nX: ${other}\r\n${name}: ${body.length}\r\n\r\n${body}`);

  it('cuts the same messages however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(600), { maxLength: 20 }), (messages, cuts) => {
        const bytes = Buffer.from(messages.join(''), 'latin1');
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(frame(chunks)).toEqual({ messages, pings: 0, partial: false });
      }),
    );
  });

  it('finds keep-alives between messages only', () => {
    const text = '\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 8\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n';
    const { messages, pings } = frame([Buffer.from(text)]);
    expect(messages).toEqual(['OPTIONS sip:a SIP/2.0\r\nl: 8\r\n\r\n\r\n\r\n\r\n\r\n']);
    expect(pings).toBe(3);
  });

  it('knows that part of a message is missing', () => {
    expect(frame([Buffer.from('OPTIONS sip:a SIP/2.0\r\nl: 8\r\n\r\n1234')]).partial).toBe(true);
  });

  it('ends a message without Content-Length at its headers', () => {
    expect(frame([Buffer.from('A sip:a SIP/2.0\r\n\r\nB sip:a SIP/2.0\r\n\r\n')]).messages).toHaveLength(2);
  });

  /** In pieces of so many bytes. */
  function chunked(text: string, bytes: number): Buffer[] {
    const whole = Buffer.from(text, 'latin1');
    return Array.from({ length: Math.ceil(whole.length / bytes) }, (_, i) =>
      whole.subarray(i * bytes, (i + 1) * bytes),
    );
  }

  const NEXT = 'OPTIONS sip:next SIP/2.0\r\nl: 0\r\n\r\n';

  it.each([
    ['Content-Length:\r\n 50\r\n', 50],
    ['Content-Length: \r\n\t \r\n  50  \r\n', 50],
    ['L\t:50\n', 50],
    ['Subject: x\r\n l: 9\r\nl: 50\r\n', 50],
    ['l: 50\r\nContent-Length:\r\n 50\r\n', 50],
    ['Content-Length-X: 9\r\nX: l: 9\r\n', 0],
  ])('reads a length of a head with %j as the parser does', (lines, length) => {
    const head = `OPTIONS sip:a SIP/2.0\r\n${lines}\r\n`;
    const body = 'INVITE sip:hidden SIP/2.0\r\nl: 0\r\n\r\n'.padEnd(50).slice(0, length);
    expect(frame([Buffer.from(head + body + NEXT)]).messages).toEqual([head + body, NEXT]);
    if (length > 0) expect(parseMessage(Buffer.from(head + body + NEXT)).body.toString()).toBe(body);
  });

  it('sees the body that the parser sees, or none at all', () => {
    const name = fc.constantFrom(
      'Content-Length',
      'CONTENT-LENGTH',
      'l',
      'L ',
      'l\t',
      'l\v',
      ' l',
      'X',
      'Content-Length\xa0',
    );
    const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\r\n ', '\n\t', '\r', '\v'), maxLength: 3 });
    const digits = fc.constantFrom('7', '07', '12', '1 2', '-1', '+3', '', 'x', '9999999999');
    const end = fc.constantFrom('\r\n', '\n');
    const lines = fc.array(
      fc.tuple(name, space, space, digits, space, end).map(([n, a, b, d, c, e]) => `${n}${a}:${b}${d}${c}${e}`),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(lines, end, (headers, blank) => {
        const text = `OPTIONS sip:a SIP/2.0\r\nTo: x\r\n${headers.join('')}${blank}${'.'.repeat(40)}`;
        const messages: Buffer[] = [];
        const framer = new StreamFramer({ onMessage: (message) => messages.push(message), onPing: () => {} });
        let framed = true;
        try {
          framer.push(Buffer.from(text, 'latin1'));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          framed = false;
        }
        const parsed = parseMessage(Buffer.from(text, 'latin1'));
        expect(framed).toBe(!parsed.issues.includes('content_length'));
        if (framed)
          expect(parseMessage(messages[0]!).body.length).toBe(
            parsed.headers.has('content-length') ? parsed.body.length : 0,
          );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['x', '-1', '', '1 2', '3\r\nl: 4'])('cannot go on behind a Content-Length of %j', (length) => {
    const messages: string[] = [];
    const framer = new StreamFramer({ onMessage: (bytes) => messages.push(bytes.toString()), onPing: () => {} });
    const head = `OPTIONS sip:a SIP/2.0\r\nContent-Length: ${length}\r\n\r\n`;
    expect(() => framer.push(Buffer.from(head + NEXT))).toThrow(RangeError);
    expect(messages).toEqual([head]);
  });

  it.each([1, 7, 1_460, 65_536, 1_000_000])('lets a head beyond 64 KiB pass by in pieces of %d bytes', (bytes) => {
    const long = `OPTIONS sip:a SIP/2.0\r\nVia: x\r\nX: ${'x'.repeat(70_000)}\r\nY: ${'y\r\n '.repeat(300)}\r\nl:\r\n ${NEXT.length}\r\nZ: z\r\n\r\n`;
    const { messages, partial } = frame(chunked(long + NEXT + NEXT, bytes));
    expect(messages).toHaveLength(2);
    expect(messages[1]).toBe(NEXT);
    expect(partial).toBe(false);
    const refused = parseMessage(Buffer.from(messages[0]!, 'latin1'));
    expect(refused.issues).toContain('too_large');
    expect(refused.first('via')).toBe('x');
  });

  it.each([1_460, 65_536, 1_000_000])('lets a body that nobody reads pass by in pieces of %d bytes', (bytes) => {
    const head = 'OPTIONS sip:a SIP/2.0\r\nl: 200000\r\n\r\n';
    const { messages, partial } = frame(chunked(head + NEXT.repeat(10_000).slice(0, 200_000) + NEXT, bytes));
    expect(messages).toEqual([head, NEXT]);
    expect(partial).toBe(false);
  });

  it.each([
    ['one line', 'x'],
    ['lines', 'X: x\r\n'],
    ['folds', '\r\n '],
    ['blank folds', ' \r\n'],
    ['lengths', 'l: 1\r\n'],
  ])('keeps no more of an endless head than its beginning, and takes no time for it: %s', (_what, text) => {
    const framer = new StreamFramer({ onMessage: () => {}, onPing: () => {} });
    const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
    framer.push(Buffer.from('OPTIONS sip:a SIP/2.0\r\nX: y\r\nX: '));
    framer.push(chunk);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 300; i++) framer.push(chunk);
    expect(leastCpuMs(() => framer.push(chunk))).toBeLessThan(50);
    expect(framer.partial).toBe(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });
});
