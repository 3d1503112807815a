import fc from 'fast-check';

import { StreamFramer } from '../../../../../media/sip/edge/stream-framer';

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

  it('gives up on what is too large', () => {
    expect(() => frame([Buffer.alloc(17_000, 'x')])).toThrow(RangeError);
    expect(() => frame([Buffer.from(`A\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`)])).toThrow(RangeError);
    expect(() => frame([Buffer.from('A\r\nl: 70000\r\n\r\n')])).toThrow(RangeError);
  });
});
