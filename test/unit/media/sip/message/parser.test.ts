import fc from 'fast-check';

import { decodeWireText, encodeWireText, SipRequest } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { validateRequest } from '../../../../../media/sip/message/validation';
import { TORTURE_MESSAGES, tortureBytes } from '../../../../fakes/media/sip/torture';

import type { SipResponse } from '../../../../../media/sip/message/message';

const parse = (text: string): SipRequest | SipResponse => parseMessage(Buffer.from(text, 'latin1'));

function request(...lines: string[]): SipRequest {
  const message = parse(`${lines.join('\r\n')}\r\n\r\n`);
  if (!(message instanceof SipRequest)) throw new Error('not a request');
  return message;
}

describe('parser', () => {
  it('reads a request with its body', () => {
    const message = parse(
      'INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP pc33.atlanta.com:5070;branch=z9hG4bK776;rport\r\n' +
        'Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: "Alice" <sip:alice@atlanta.com>;tag=1928301774\r\n' +
        'Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\nContent-Type: application/SDP; charset=utf-8\r\n' +
        'Content-Length: 4\r\n\r\nv=0\ntrailing',
    ) as SipRequest;
    expect(message).toMatchObject({ method: 'INVITE', requestUri: 'sip:bob@biloxi.com', version: 'SIP/2.0' });
    expect(message.callId).toBe('a84b4c76e66710');
    expect(message.fromTag).toBe('1928301774');
    expect(message.toTag).toBe('');
    expect(message.cseq).toEqual({ number: 314159, method: 'INVITE' });
    expect(message.from).toMatchObject({ displayName: 'Alice', uri: 'sip:alice@atlanta.com' });
    expect(message.to).toMatchObject({ displayName: 'Bob', uri: 'sip:bob@biloxi.com' });
    expect(message.topVia).toMatchObject({ transport: 'UDP', host: 'pc33.atlanta.com', port: 5070 });
    expect(message.topVia?.params).toEqual(
      new Map([
        ['branch', 'z9hG4bK776'],
        ['rport', null],
      ]),
    );
    expect(message.contentType).toBe('application/sdp');
    expect(message.body.toString()).toBe('v=0\n');
    expect(message.issues).toEqual([]);
  });

  it.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 100', 100, ''],
    ['SIP/2.0 486 Busy  Here ', 486, 'Busy  Here'],
  ])('reads the status line %j', (line, status, reason) => {
    expect(parse(`${line}\r\nCSeq: 1 INVITE\r\n\r\n`)).toMatchObject({ status, reason });
  });

  it('knows compact and differently written names, and trims', () => {
    const message = request('OPTIONS sip:a SIP/2.0', 'v: one', 'VIA : two', 'i:id', 'M:<sip:x>', 'cAlL-iD :second ');
    expect(message.lines('via')).toEqual(['one', 'two']);
    expect(message.lines('call-id')).toEqual(['id', 'second']);
    expect(message.first('contact')).toBe('<sip:x>');
  });

  it('unfolds continued lines', () => {
    const message = request('OPTIONS sip:a SIP/2.0', 'Subject: one', '  two', '\tthree', 'To: sip:b');
    expect(message.first('subject')).toBe('one two three');
    expect(message.first('to')).toBe('sip:b');
  });

  it('splits values at commas outside quotes and brackets', () => {
    const message = request(
      'OPTIONS sip:a SIP/2.0',
      'Contact: "Smith, \\"J" <sip:j,s@a>;q=1, <sip:b>',
      'Contact: sip:c',
      'Allow: INVITE,, ACK',
    );
    expect(message.list('contact')).toEqual(['"Smith, \\"J" <sip:j,s@a>;q=1', '<sip:b>', 'sip:c']);
    expect(message.list('allow')).toEqual(['INVITE', 'ACK']);
  });

  it('keeps header names of the prototype apart from it', () => {
    const message = request(
      'OPTIONS sip:a SIP/2.0',
      '__proto__: x',
      'constructor: y',
      'Via: SIP/2.0/UDP h;__proto__=z',
    );
    expect(message.first('__proto__')).toBe('x');
    expect(message.first('constructor')).toBe('y');
    expect(message.first('tostring')).toBeUndefined();
    expect(message.topVia?.params.get('__proto__')).toBe('z');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('notes what is wrong instead of refusing', () => {
    expect(request('INVITE  sip:a SIP/2.0', 'To: x').issues).toEqual(['start_line']);
    expect(request('INVITE sip:a', 'To: x')).toMatchObject({ version: '', issues: ['start_line'] });
    expect(request('INVITE sip:a SIP/2.0', 'no colon').issues).toEqual(['header_line']);
    expect(request('INVITE sip:a SIP/2.0', 'Content-Length: -1').issues).toEqual(['content_length']);
    expect(request('INVITE sip:a SIP/2.0', 'Content-Length: 9').issues).toEqual(['body_truncated']);
    expect(request('INVITE sip:a SIP/2.0', 'CSeq: 4294967296 INVITE').cseq).toBeNull();
  });

  it.each(['', '\r\n\r\n', '\0\0', 'hello', 'GET / HTTP/1.1', 'SIP/2.0 20 x\r\n\r\n', 'SIP/2.0 4294967301 x\r\n\r\n'])(
    'throws a RangeError for %j, which has no SIP start line',
    (text) => {
      expect(() => parse(text)).toThrow(RangeError);
    },
  );

  it('gives up on endless headers', () => {
    expect(() => parse(`OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(500)}\r\n`)).toThrow(RangeError);
    expect(() => parse(`OPTIONS sip:a SIP/2.0\r\nX: y\r\n${' z\r\n'.repeat(500)}\r\n`)).toThrow(RangeError);
  });

  it('keeps bytes above 127 as they are', () => {
    const bytes = Buffer.from('OPTIONS sip:a SIP/2.0\r\nSubject: \xfe\xc3\xa9\r\n\r\n', 'latin1');
    const subject = parseMessage(bytes).first('subject') ?? '';
    expect(Buffer.from(subject, 'latin1')).toEqual(Buffer.from('\xfe\xc3\xa9', 'latin1'));
    expect(decodeWireText('\xc3\xa9')).toBe('é');
    expect(encodeWireText('é')).toBe('\xc3\xa9');
  });

  it('finds again any headers written in any case, order and spacing', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9.!*_+-]{1,12}$/);
    const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
    const header = fc.record({
      name,
      value,
      before: fc.constantFrom('', ' ', '\t'),
      after: fc.constantFrom('', ' ', '  '),
    });
    fc.assert(
      fc.property(fc.array(header, { maxLength: 12 }), (headers) => {
        const lines = headers.map((h) => `X${h.name}${h.before}:${h.after}${h.value}`);
        const message = request('OPTIONS sip:a SIP/2.0', 'To: x', ...lines);
        for (const key of new Set(headers.map((h) => `x${h.name.toLowerCase()}`))) {
          const expected = headers.filter((h) => `x${h.name.toLowerCase()}` === key).map((h) => h.value);
          expect(message.lines(key)).toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('drops a message whose headers are longer than any real one', () => {
    const message = (bytes: number): string => `OPTIONS sip:a SIP/2.0\r\nSubject: ${'a'.repeat(bytes)}\r\n\r\n`;
    expect(parse(message(16_000)).first('subject')).toHaveLength(16_000);
    expect(() => parse(message(17_000))).toThrow(RangeError);
  });

  describe('fuzz', () => {
    const seeds = TORTURE_MESSAGES.map(({ file }) => tortureBytes(file));

    /** Reads all that anybody reads of a message; the time that took in ms. */
    function read(bytes: Buffer): number {
      const before = performance.now();
      try {
        const message = parseMessage(bytes);
        void [message.from, message.to, message.cseq, message.topVia, message.list('via'), message.list('contact')];
        if (message instanceof SipRequest) validateRequest(message);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      return performance.now() - before;
    }

    function exercise(bytes: Buffer): void {
      // A busy machine may stop us in the middle once, hardly three times in a row.
      if (read(bytes) >= 50 && read(bytes) >= 50) expect(read(bytes)).toBeLessThan(50);
    }

    it('takes random bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => exercise(Buffer.from(bytes))),
        { numRuns: 500 },
      );
    });

    it('takes mutated messages', () => {
      const edit = fc.record({
        at: fc.nat(5_000),
        kind: fc.constantFrom('flip', 'cut', 'copy', 'insert'),
        text: fc.constantFrom(
          '"',
          '<',
          '>',
          ';',
          ',',
          ':',
          '\r\n',
          '\n ',
          '\0',
          '%',
          '@',
          '=',
          '\\',
          ' '.repeat(40),
          '\xff',
        ),
        byte: fc.nat(255),
      });
      fc.assert(
        fc.property(fc.nat(seeds.length - 1), fc.array(edit, { minLength: 1, maxLength: 12 }), (seed, edits) => {
          let bytes = Buffer.from(seeds[seed]!);
          for (const { at, kind, text, byte } of edits) {
            const index = at % Math.max(1, bytes.length);
            if (kind === 'flip') bytes[index] = byte;
            else if (kind === 'cut') bytes = bytes.subarray(0, index);
            else if (kind === 'copy') bytes = Buffer.concat([bytes.subarray(0, index), bytes.subarray(index >> 1)]);
            else bytes = Buffer.concat([bytes.subarray(0, index), Buffer.from(text, 'latin1'), bytes.subarray(index)]);
          }
          exercise(bytes);
        }),
        { numRuns: 3_000 },
      );
    });

    it.each([
      ['semicolons in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${';'.repeat(16_000)}\r\n\r\n`],
      ['spaces in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP ${' '.repeat(16_000)}h\r\n\r\n`],
      ['spaces after the host in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${' '.repeat(16_000)}x\r\n\r\n`],
      ['spaces around a port in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${' '.repeat(16_000)}:x\r\n\r\n`],
      ['spaces within the request line', `OPTIONS x${' '.repeat(16_000)}y\r\nTo: a\r\n\r\n`],
      ['spaces in the request line', `OPTIONS ${' '.repeat(16_000)}x\r\nTo: a\r\n\r\n`],
      ['spaces before a tab in the request line', `OPTIONS ${' \t'.repeat(8_000)}\r\nTo: a\r\n\r\n`],
      ['an open quote', `OPTIONS sip:a SIP/2.0\r\nTo: "${'\\"'.repeat(8_000)}\r\n\r\n`],
      ['brackets', `OPTIONS sip:a SIP/2.0\r\nFrom: ${'<'.repeat(8_000)}${'>'.repeat(8_000)}\r\n\r\n`],
      ['commas', `OPTIONS sip:a SIP/2.0\r\nContact: ${','.repeat(16_000)}\r\n\r\n`],
      ['a long URI', `OPTIONS sip:${'a'.repeat(16_000)} SIP/2.0\r\nTo: a\r\n\r\n`],
      ['digits in CSeq', `OPTIONS sip:a SIP/2.0\r\nCSeq: ${'1'.repeat(16_000)}\r\n\r\n`],
      ['folds', `OPTIONS sip:a SIP/2.0\r\nTo: a\r\n${' \r\n'.repeat(390)}\r\n`],
      ['boundaries', `INVITE sip:a SIP/2.0\r\nContent-Type: multipart/mixed;boundary=a\r\n\r\n${'--a'.repeat(20_000)}`],
    ])('is not slowed down by %s', (_name, text) => exercise(Buffer.from(text, 'latin1')));
  });
});
