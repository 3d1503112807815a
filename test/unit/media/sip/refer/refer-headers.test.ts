import fc from 'fast-check';

import { parseEvent, parseSubscriptionState } from '../../../../../media/sip/refer/refer-event';
import { formatReferredBy, formatReferTo, parseReferTo } from '../../../../../media/sip/refer/refer-to';
import { formatReplaces, parseReplaces } from '../../../../../media/sip/refer/replaces';
import { formatSipfrag, parseSipfrag } from '../../../../../media/sip/refer/sipfrag';
import { hostileText } from '../../../../fakes/media/sip/hostile-text';

const REPLACES = { sipCallId: '425928@phone.example.org', toTag: '7743', fromTag: '6472', earlyOnly: false };
const TOKEN = ['a', 'Z', '0', '-', '.', '!', '%', '*', '_', '+', '`', "'", '~'];
const WORD = [...TOKEN, '(', ')', '<', '>', ':', '\\', '"', '/', '[', ']', '?', '{', '}'];
const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 20 });
const word = fc.string({ unit: fc.constantFrom(...WORD), minLength: 1, maxLength: 20 });
const dialog = fc.record({
  sipCallId: fc.oneof(
    word,
    fc.tuple(word, word).map(([a, b]) => `${a}@${b}`),
  ),
  toTag: token,
  fromTag: token,
  earlyOnly: fc.boolean(),
});
const MARKS = ['<', '>', '"', '\\', ';', '?', '&', '=', '%', '%0d', '%3b', ',', '@', ' ', 'sip:', 'a', '\xff'];
const WORDS = [
  'to-tag=',
  'from-tag=',
  'early-only',
  'Replaces=',
  'method=',
  'SIP/2.0 ',
  '200',
  'refer;id=',
  'terminated',
];
/** What could come from anybody: rich in what these headers are made of, of any length that a message can have. */
const hostile = fc.oneof(
  hostileText({ maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom(...MARKS, ...WORDS),
    maxLength: 400,
  }),
  fc.constantFrom('<', '"', ';', '&', '%', ' ', 'a=1;').map((part) => part.repeat(5_000)),
);

describe('Replaces', () => {
  it.each([
    ['425928@phone.example.org;to-tag=7743;from-tag=6472', REPLACES],
    ['425928@phone.example.org ; From-Tag = 6472; TO-TAG=7743;early-only', { ...REPLACES, earlyOnly: true }],
    ['12adf2f34456gs5;to-tag=12345;from-tag=0;x="a;b"', { sipCallId: '12adf2f34456gs5', fromTag: '0' }],
  ])('reads %s', (text, expected) => {
    expect(parseReplaces(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'a@b',
    ';to-tag=1;from-tag=2',
    'a@b;to-tag=1',
    'a@b;from-tag=2',
    'a@b;to-tag=1;from-tag=2;to-tag=3',
    'a@b;to-tag=;from-tag=2',
    'a@b;to-tag="1";from-tag=2',
    'a@b;to-tag=1;from-tag=2, c@d;to-tag=1;from-tag=2',
    'a b;to-tag=1;from-tag=2',
    'a@b@c;to-tag=1;from-tag=2',
    `${'a'.repeat(1_024)};to-tag=1;from-tag=2`,
  ])('refuses %s', (text) => {
    expect(parseReplaces(text)).toBeNull();
  });

  it('is read as it was written', () => {
    fc.assert(fc.property(dialog, (named) => expect(parseReplaces(formatReplaces(named))).toEqual(named)));
  });
});

describe('Refer-To', () => {
  it.each([
    ['<sip:alice@atlanta.example.com>', { uri: 'sip:alice@atlanta.example.com', method: 'INVITE', replaces: null }],
    ['"Al" <sips:+1555@h:5070;transport=tcp>;x=1', { uri: 'sips:+1555@h:5070;transport=tcp' }],
    ['sip:alice@h', { uri: 'sip:alice@h' }],
    ['sip:alice@h?X-A=1', { uri: 'sip:alice@h', headers: [['x-a', '1']] }],
    ['<tel:+1555>', { uri: 'tel:+1555', method: 'INVITE' }],
    ['<sip:a@h;method=BYE;user=phone>', { uri: 'sip:a@h;user=phone', method: 'BYE' }],
    ['<sip:a;method=x@h;Method=invite>', { uri: 'sip:a;method=x@h', method: 'INVITE' }],
    [
      '<sip:h;user=phone?Replaces=425928%40phone.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472&Require=replaces>',
      { uri: 'sip:h;user=phone', replaces: REPLACES, headers: [] },
    ],
    [
      '<sip:a?b@h?X-OPENCX-SESSION-ID=s%201&P-Asserted-Identity=sip:x&From=y>',
      { uri: 'sip:a?b@h', headers: [['x-opencx-session-id', 's 1']] },
    ],
    ['<https://example.com/a>', { uri: 'https://example.com/a' }],
  ])('reads %s', (text, expected) => {
    expect(parseReferTo(text)).toMatchObject(expected);
  });

  it.each([
    '',
    '<>',
    'alice',
    '<sip:alice@h',
    '<sip:@h>',
    '<sip:alice@h:0>',
    '<sip:a@h?X-A>',
    '<sip:a@h?X-A=1%0d%0aRoute=x>',
    '<sip:a@h?Replaces=x>',
    '<sip:a@h?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
    `<sip:${'a'.repeat(1_100)}@h>`,
  ])('refuses %s', (text) => {
    expect(parseReferTo(text)).toBeNull();
  });

  it('is read as it was written, whatever the new call is to carry', () => {
    const uri = fc.constantFrom('sip:+15551234567@192.0.2.7:5062;user=phone', 'sips:a?b;c@h', 'tel:+1555', 'sip:[::1]');
    const value = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .filter((text) => !/[^\x20-\x7e\x80-\uffff]/.test(text));
    const headers = fc.array(
      fc.tuple(
        token.map((name) => `X-${name}`),
        value,
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(uri, fc.option(dialog), headers, (called, replaces, given) => {
        // A tel URI has no header part (RFC 3966), and so no way to say more.
        fc.pre(!called.startsWith('tel') || (replaces === null && given.length === 0));
        expect(parseReferTo(formatReferTo({ uri: called, replaces, headers: given }))).toEqual({
          uri: called,
          method: 'INVITE',
          replaces,
          headers: given.map(([name, text]) => [name.toLowerCase(), text]),
        });
      }),
    );
  });

  it.each(['', 'alice', 'sip:a b@h', 'sip:a@h>', 'sip:a@h\r\nX: y', 'sip:a@h?X=1', 'sip:\0@h', 'http://h'])(
    'is not written for %j, nor is Referred-By',
    (uri) => {
      expect(() => formatReferTo({ uri, replaces: null, headers: [] })).toThrow(RangeError);
      expect(() => formatReferredBy(uri)).toThrow(RangeError);
    },
  );

  it('is not written with what is no header name', () => {
    expect(() => formatReferTo({ uri: 'sip:a@h', replaces: null, headers: [['X: y\r\nZ', '1']] })).toThrow(RangeError);
  });
});

describe('a tel URI in Refer-To', () => {
  it('has no header part (RFC 3966 §3)', () => {
    const headers = [['X-A', '1']] as const;
    expect(formatReferTo({ uri: 'tel:+1', replaces: null, headers })).toBe('<tel:+1>');
    expect(() => formatReferTo({ uri: 'tel:+1', replaces: REPLACES, headers })).toThrow(RangeError);
  });
});

describe('sipfrag', () => {
  it.each([
    ['SIP/2.0 100 Trying', { status: 100, reason: 'Trying' }],
    ['SIP/2.0 200 OK\r\nContact: <sip:a@h>\r\n\r\nmore', { status: 200, reason: 'OK' }],
    ['\r\nsip/2.0  486\tBusy \n', { status: 486, reason: 'Busy' }],
    ['SIP/2.0 603', { status: 603, reason: '' }],
    ['', null],
    ['HTTP/1.1 200 OK', null],
    ['SIP/2.0 20', null],
    ['SIP/2.0 2000', null],
    ['SIP/2.0 099 x', null],
    ['SIP/2.0 700 x', null],
    ['Via: x\r\nSIP/2.0 200 OK', null],
  ])('%j', (text, expected) => {
    expect(parseSipfrag(Buffer.from(text))).toEqual(expected);
  });

  it('is one line, and is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 699 }), hostileText({ maxLength: 20 }), (status, reason) => {
        const text = formatSipfrag({ status, reason });
        expect(text).toMatch(/^SIP\/2\.0 \d{3} [\x20-\x7e\x80-\uffff]*\r\n$/);
        const read = parseSipfrag(Buffer.from(text));
        expect(read?.status).toBe(status);
        expect(formatSipfrag(read!)).toBe(formatSipfrag({ status, reason: read!.reason }));
      }),
    );
  });
});

describe('Event and Subscription-State', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['refer', { name: 'refer', id: null }],
    ['Refer ; id=93809824', { name: 'refer', id: 93_809_824 }],
    ['message-summary', { name: 'message-summary', id: null }],
    ['refer;id=x', { name: 'refer', id: Number.NaN }],
    ['refer;id', { name: 'refer', id: Number.NaN }],
  ])('%j', (value, expected) => {
    expect(parseEvent(value)).toEqual(expected);
  });

  it.each([
    [undefined, { over: false, reason: '' }],
    ['active;expires=60', { over: false, reason: '' }],
    ['Terminated;reason=noresource', { over: true, reason: 'noresource' }],
    ['terminated', { over: true, reason: '' }],
  ])('%j', (value, expected) => {
    expect(parseSubscriptionState(value)).toEqual(expected);
  });
});

it('whatever the peer writes is read within bounds and without an error', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const target = parseReferTo(text);
      const replaces = parseReplaces(text);
      const sipfrag = parseSipfrag(Buffer.from(text, 'latin1'));
      parseEvent(text);
      const { reason } = parseSubscriptionState(text);
      expect((target?.uri ?? '').length).toBeLessThanOrEqual(4_096);
      for (const [, value] of target?.headers ?? []) expect(value).not.toMatch(/[^\x20-\x7e\x80-\uffff]/);
      for (const part of [replaces?.sipCallId, target?.replaces?.sipCallId]) {
        if (part !== undefined) expect(part).toMatch(/^[^\0-\x20;,\x7f]{1,1024}$/);
      }
      expect([(sipfrag?.reason ?? '').length <= 128, reason.length <= 64]).toEqual([true, true]);
    }),
    { numRuns: 1_000 },
  );
});
