import fc from 'fast-check';

import { sdpOf } from '../../../../../media/sip/message/body';
import { decodeWireText, encodeWireText, SipRequest } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { contactUri, validateRequest } from '../../../../../media/sip/message/validation';
import { MALFORMED_RESPONSES, SOUND_RESPONSE } from '../../../../fakes/media/sip/malformed-responses';
import { TORTURE_MESSAGES, tortureBytes } from '../../../../fakes/media/sip/torture';
import { leastCpuMs } from '../../../../support/least-cpu';

import type { SipResponse } from '../../../../../media/sip/message/message';

/** How many more tries a soak has. */
const TIMES = process.env['TEST_SOAK'] === '1' ? 20 : 1;

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
    ['SIP/2.0  200\tOK', 200, 'OK'],
    ['SIP/2.0 200OK', 200, 'OK'],
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

  it('reads no more than so many lines, and says so', () => {
    const many = parse(`OPTIONS sip:a SIP/2.0\r\n${'X-Y: y\r\n'.repeat(1_500)}To: x\r\n\r\nbody`);
    expect(many.issues).toEqual(['too_large']);
    expect(many.lines('x-y')).toHaveLength(1_000);
    expect(many.body.toString()).toBe('body');
    expect(parse(`OPTIONS sip:a SIP/2.0\r\nX: y\r\n${' z\r\n'.repeat(1_500)}To: x\r\n\r\n`).issues).toEqual([
      'too_large',
    ]);
  });

  it.each([
    ['bare line feeds', 'OPTIONS sip:a SIP/2.0\nTo: x\n\nv=0\r\n\r\n', 'v=0\r\n\r\n'],
    ['a blank line of a bare line feed', 'OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\nv=0', 'v=0'],
    ['a blank line of CRLF alone', 'OPTIONS sip:a SIP/2.0\nTo: x\n\r\nv=0', 'v=0'],
  ])('finds the body behind %s', (_name, text, body) => {
    const message = parse(text);
    expect(message.lines('to')).toEqual(['x']);
    expect(message.body.toString()).toBe(body);
    expect(message.issues).toEqual([]);
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

  it('takes a head of 64 KiB, and of a longer one the beginning', () => {
    const message = (bytes: number): string =>
      `OPTIONS sip:a SIP/2.0\r\nTo: x\r\nSubject: ${'a'.repeat(bytes)}\r\n\r\n`;
    expect(parse(message(65_000))).toMatchObject({ issues: [] });
    expect(parse(message(65_000)).first('subject')).toHaveLength(65_000);
    const longer = parse(message(66_000));
    expect(longer.issues).toEqual(['too_large']);
    expect([longer.first('to'), longer.first('subject')]).toEqual(['x', undefined]);
  });

  describe('fuzz', () => {
    const seeds = [
      ...TORTURE_MESSAGES.map(({ file }) => tortureBytes(file)),
      ...MALFORMED_RESPONSES.map(({ change }) => Buffer.from(change(SOUND_RESPONSE), 'latin1')),
    ];

    /** Reads all that anybody reads of a message. */
    function read(bytes: Buffer): void {
      try {
        const message = parseMessage(bytes);
        void [message.from, message.to, message.cseq, message.topVia, message.list('via'), message.list('contact')];
        void [message.fromTag, message.toTag, message.branch, message.contentType, sdpOf(message), contactUri(message)];
        if (message instanceof SipRequest) validateRequest(message);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }

    function exercise(bytes: Buffer): void {
      expect(leastCpuMs(() => read(bytes))).toBeLessThan(50);
    }

    it('takes random bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => exercise(Buffer.from(bytes))),
        { numRuns: 500 * TIMES },
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
        { numRuns: 3_000 * TIMES },
      );
    });

    it.each([
      ['semicolons in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${';'.repeat(64_000)}\r\n\r\n`],
      ['spaces in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP ${' '.repeat(64_000)}h\r\n\r\n`],
      ['spaces after the host in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${' '.repeat(64_000)}x\r\n\r\n`],
      ['spaces around a port in Via', `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h${' '.repeat(64_000)}:x\r\n\r\n`],
      ['spaces within the request line', `OPTIONS x${' '.repeat(64_000)}y\r\nTo: a\r\n\r\n`],
      ['spaces in the request line', `OPTIONS ${' '.repeat(64_000)}x\r\nTo: a\r\n\r\n`],
      ['spaces before a tab in the request line', `OPTIONS ${' \t'.repeat(32_000)}\r\nTo: a\r\n\r\n`],
      ['an open quote', `OPTIONS sip:a SIP/2.0\r\nTo: "${'\\"'.repeat(32_000)}\r\n\r\n`],
      ['brackets', `OPTIONS sip:a SIP/2.0\r\nFrom: ${'<'.repeat(32_000)}${'>'.repeat(32_000)}\r\n\r\n`],
      ['commas', `OPTIONS sip:a SIP/2.0\r\nContact: ${','.repeat(64_000)}\r\n\r\n`],
      ['a long URI', `OPTIONS sip:${'a'.repeat(64_000)} SIP/2.0\r\nTo: a\r\n\r\n`],
      ['digits in CSeq', `OPTIONS sip:a SIP/2.0\r\nCSeq: ${'1'.repeat(64_000)}\r\n\r\n`],
      ['blanks before a colon', `OPTIONS sip:a SIP/2.0\r\nTo${' '.repeat(64_000)}x: a\r\n\r\n`],
      ['blanks within the media type', `INVITE sip:a SIP/2.0\r\nContent-Type: a/${' '.repeat(64_000)}b\r\n\r\nv=0`],
      ['comments', `OPTIONS sip:a SIP/2.0\r\nFrom: ${'('.repeat(32_000)}a${')'.repeat(32_000)}<sip:a@b>\r\n\r\n`],
      ['open comments', `OPTIONS sip:a SIP/2.0\r\nFrom: ${'(a '.repeat(20_000)}<sip:a@b>\r\n\r\n`],
      ['tags of a broken To', `OPTIONS sip:a SIP/2.0\r\nTo: "${';tag '.repeat(12_000)}\r\n\r\n`],
      ['spaces before a tag of a broken To', `OPTIONS sip:a SIP/2.0\r\nTo: ";${' '.repeat(64_000)}tag\r\n\r\n`],
      ['branches of a broken Via', `OPTIONS sip:a SIP/2.0\r\nVia: ${';branch '.repeat(8_000)}\r\n\r\n`],
      ['folds', `OPTIONS sip:a SIP/2.0\r\nTo: a\r\n${' \r\n'.repeat(990)}\r\n`],
      ['boundaries', `INVITE sip:a SIP/2.0\r\nContent-Type: multipart/mixed;boundary=a\r\n\r\n${'--a'.repeat(20_000)}`],
    ])('is not slowed down by %s', (_name, text) => exercise(Buffer.from(text, 'latin1')));
  });
});
