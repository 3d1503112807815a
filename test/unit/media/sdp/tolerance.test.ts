import fc from 'fast-check';
import type { LocalAudio } from '../../../../media/sdp/audio-stream';
import { answerOffer, createOffer, readAnswer } from '../../../../media/sdp/offer-answer';
import { leastCpuMs } from '../../../support/least-cpu';

const LOCAL: LocalAudio = { localAddress: '198.51.100.1', port: 20_000, sessionId: '7', version: 1 };

const SOUND =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n' +
  'a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n';

const before = (lines: string) => (sdp: string) => sdp.replace('m=audio', `${lines}\r\nm=audio`);
const after = (lines: string) => (sdp: string) => `${sdp}${lines}\r\n`;
const instead = (old: string | RegExp, text: string) => (sdp: string) => sdp.replace(old, text);

/** One usable stream, and beside it what people write. */
const BESIDE: readonly (readonly [what: string, change: (sdp: string) => string])[] = [
  ['a stream switched off, without formats', after('m=video 0 RTP/AVP')],
  ['a stream switched off, of nothing but its kind', after('m=video')],
  ['a stream switched off, before it', before('m=image 0 udptl')],
  ['an empty m= line', after('m=')],
  ['an m= line of other bytes', after('m=\xff\x01 \xe9 x y')],
  ['a stream at no port', after('m=video 70000 RTP/AVP 96')],
  ['a stream at a port that is no number', after('m=video $ RTP/AVP 96')],
  ['a stream of a transport nobody knows', after('m=application 5000 (null) x')],
  ['SRTP of the same audio before it', before('m=audio 5000 RTP/SAVP 0')],
  ['audio of other codecs before it', before('m=audio 5000 RTP/AVP 18 4')],
  ['audio for a group before it', before('m=audio 5000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127')],
  ['forty streams switched off', after(Array.from({ length: 40 }, () => 'm=audio 0 RTP/AVP 0').join('\r\n'))],
  [
    'six hundred lines',
    after(Array.from({ length: 600 }, (_, i) => `a=candidate:${i} 1 UDP 1 192.0.2.1 ${i} typ host`).join('\r\n')),
  ],
  ['no v=, o= and s= lines', instead(/v=.*\r\no=.*\r\ns=.*\r\n/, '')],
  ['no s= line', instead('s=-\r\n', '')],
  ['an empty s= line', instead('s=-', 's=')],
  ['no t= line', instead('t=0 0\r\n', '')],
  ['a t= line of words', instead('t=0 0', 't=now later')],
  ['another version', instead('v=0', 'v=1')],
  ['o= before v=', instead(/(v=0\r\n)(o=.*\r\n)/, '$2$1')],
  ['t= and c= in each other’s place', instead(/(c=.*\r\n)(t=.*\r\n)/, '$2$1')],
  ['c= behind the attributes', (sdp) => sdp.replace(/c=.*\r\n/, '').concat('c=IN IP4 192.0.2.10\r\n')],
  [
    'rtpmaps before the stream',
    (sdp) => `${sdp.replace(/a=rtpmap.*\r\n/g, '').replace('m=', 'a=rtpmap:101 telephone-event/8000\r\nm=')}`,
  ],
  ['bare line feeds', (sdp) => sdp.replaceAll('\r\n', '\n')],
  ['carriage returns alone', (sdp) => sdp.replaceAll('\r\n', '\r')],
  ['empty lines', (sdp) => `\r\n${sdp.replaceAll('\r\n', '\r\n\r\n')}`],
  ['no line end at the end', (sdp) => sdp.trimEnd()],
  ['NULs at the end', (sdp) => `${sdp}\0\0`],
  ['a byte order mark', (sdp) => `\ufeff${sdp}`],
  ['spaces at the ends of lines', (sdp) => sdp.replaceAll('\r\n', ' \t\r\n')],
  ['spaces at the beginnings of lines', (sdp) => sdp.replaceAll('\r\n', '\r\n ')],
  ['spaces around the equals signs', (sdp) => sdp.replaceAll('=', ' = ')],
  ['two spaces for one, and tabs', (sdp) => sdp.replaceAll(' ', ' \t ')],
  ['spaces around the colons of attributes', (sdp) => sdp.replaceAll(/^(a=\w+):/gm, '$1 : ')],
  ['spaces within an rtpmap', instead('telephone-event/8000', 'telephone-event / 8000 / 1')],
  ['attributes in capitals', instead('a=sendrecv', 'a=SENDRECV')],
  ['the stream in capitals', instead('m=audio 4000 RTP/AVP', 'm=AUDIO 4000 rtp/avp')],
  ['a number of ports', instead('4000', '4000/2')],
  ['formats that are no payload types', instead('8 0 101', '8 * 300 x 101')],
  ['an rtpmap without a clock rate', instead('PCMA/8000', 'PCMA')],
  ['an rtpmap of nothing', after('a=rtpmap:')],
  ['unreadable attributes', after('a=\r\na=:\r\na=rtcp:x\r\na=rtpmap:x y/z\r\na=fmtp')],
  ['lines of unknown types', before('z=0 0\r\nk=prompt\r\ny=?\r\nX=y\r\nfoo=bar\r\nnothing')],
  ['lines of other bytes', before('i=\xff\xfe \u2028 \u0000')],
  ['a bandwidth of words', before('b=AS:lots\r\nb=')],
  ['a host name in o=', instead('o=- 1 1 IN IP4 192.0.2.10', 'o=- 1 1 IN IP4 pbx.example.com')],
  [
    'a host name in the c= line of the session',
    (sdp) => sdp.replace('c=IN IP4 192.0.2.10', 'c=IN IP4 pbx.example.com').concat('c=IN IP4 192.0.2.10\r\n'),
  ],
  ['a host name in the c= line of another stream', after('m=video 6000 RTP/AVP 96\r\nc=IN IP4 tv.example.com')],
  [
    'IPv6 in the c= line of the session',
    (sdp) => sdp.replace('c=IN IP4 192.0.2.10', 'c=IN IP6 2001:db8::1').concat('c=IN IP4 192.0.2.10\r\n'),
  ],
  ['IPv6 in the c= line of another stream', after('m=video 6000 RTP/AVP 96\r\nc=IN IP6 2001:db8::1')],
  [
    'another kind of network in the c= line of the session',
    (sdp) => sdp.replace('c=IN IP4 192.0.2.10', 'c=TN RFC2543 +1-555').concat('c=IN IP4 192.0.2.10\r\n'),
  ],
  ['the wrong kind of address', instead('c=IN IP4', 'c=IN IP6')],
  ['no kind of address that exists', instead('c=IN IP4', 'c=in ipv4')],
  ['a TTL', instead('c=IN IP4 192.0.2.10', 'c=IN IP4 192.0.2.10/127')],
  ['IPv4 within IPv6', instead('c=IN IP4 192.0.2.10', 'c=IN IP6 ::ffff:192.0.2.10')],
];

describe('an offer whose audio is usable', () => {
  it.each(BESIDE)('is answered beside %s', (_what, change) => {
    const offer = change(SOUND);
    const result = answerOffer(offer, LOCAL);
    expect(result).toMatchObject({
      ok: true,
      remote: {
        address: '192.0.2.10',
        port: 4000,
        codec: 'PCMA',
        telephoneEventPayloadType: 101,
        send: true,
        receive: true,
      },
    });
    if (!result.ok) return;
    // One m= line for each, in its place, and all but ours switched off (RFC 3264 §6).
    const streams = offer.split(/[\r\n]+/).filter((line) => /^\s*m\s*=/.test(line));
    const ours = result.sdp.split('\r\n').filter((line) => line.startsWith('m='));
    expect(ours).toHaveLength(streams.length);
    for (const [i, line] of ours.entries()) {
      const isOurs = / 4000/.test(streams[i]!.replaceAll('\t', ' '));
      expect(line).toMatch(
        isOurs ? /^m=audio 20000 RTP\/AVP 8 101$/ : /^m=[\x21-\x7e]+ 0 [\x21-\x7e]+( [\x21-\x7e]+)+$/,
      );
    }
    expect(result.sdp).toMatch(/^([a-z]=[\x20-\x7e]*\r\n)+$/);
  });
});

describe('an answer whose audio is usable', () => {
  it.each(BESIDE)('is taken beside %s', (_what, change) => {
    expect(readAnswer(change(SOUND), LOCAL, createOffer(LOCAL))).toMatchObject({
      ok: true,
      remote: { address: '192.0.2.10', port: 4000, codec: 'PCMA', telephoneEventPayloadType: 101 },
    });
  });
});

describe('a host name in the c= line of the audio', () => {
  const named = SOUND.replace('c=IN IP4 192.0.2.10', 'c=IN IP4 pbx.example.com');

  it('stands for where the signalling comes from', () => {
    const local = { ...LOCAL, signallingAddress: '192.0.2.99' };
    expect(answerOffer(named, local)).toMatchObject({ ok: true, remote: { address: '192.0.2.99', send: true } });
    expect(readAnswer(named, local, null)).toMatchObject({ ok: true, remote: { address: '192.0.2.99' } });
  });

  it.each([null, '224.2.1.1', '2001:db8::1'])('is of no use when that is %s', (signallingAddress) => {
    expect(answerOffer(named, { ...LOCAL, signallingAddress })).toMatchObject({ ok: false, fault: 'address' });
  });

  it('is no other text that is no address', () => {
    const local = { ...LOCAL, signallingAddress: '192.0.2.99' };
    for (const text of ['1.2.3.400', 'a_b', '+1', '']) {
      expect(answerOffer(named.replace('pbx.example.com', text), local)).toMatchObject({ ok: false, fault: 'address' });
    }
  });
});

describe('whatever stands beside it', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      'm=',
      'm=audio',
      'm=video 0',
      'a=rtpmap:8',
      'a=',
      'c=',
      '=',
      'm=audio 0 RTP/AVP 0',
      'b=\t',
      'a=rtcp:',
    ),
  );

  it('is lines that take nothing from the stream, and get no line of ours that is none', () => {
    const clean = noise.map((text) => text.replace(/[\r\n\0]/g, ' ')).filter((text) => !/^\s*[ac]\s*=/.test(text));
    fc.assert(
      fc.property(fc.array(clean, { maxLength: 8 }), fc.array(clean, { maxLength: 8 }), (first, last) => {
        const offer = SOUND.replace('m=audio', `${[...first, ''].join('\r\n')}m=audio`).concat(last.join('\r\n'));
        const result = answerOffer(offer, LOCAL);
        if (!result.ok) throw new Error(`${result.fault}: ${result.detail}`);
        expect(result.remote).toMatchObject({ port: 4000, codec: 'PCMA' });
        expect(result.sdp).toMatch(/^([a-z]=[\x20-\x7e]*\r\n)+$/);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['lines', 'a=x\r\n'.repeat(6_000)],
    ['sections', 'm=audio 0 x 0\r\n'.repeat(128) + 'a=x\r\n'.repeat(5_000)],
    ['formats', `m=audio 4000 RTP/AVP${' 0'.repeat(15_000)}\r\n`],
    ['rtpmaps', 'm=audio 4000 RTP/AVP 0\r\n' + 'a=rtpmap:0 PCMU/8000\r\n'.repeat(1_300)],
    ['spaces', `m=audio${' '.repeat(31_000)}4000 RTP/AVP 0\r\n`],
    ['spaces in an attribute', `m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 ${' '.repeat(31_000)}x\r\n`],
    ['a long host name', `c=IN IP4 ${'a-'.repeat(15_000)}\r\nm=audio 4000 RTP/AVP 0\r\n`],
    ['colons', `a=${':'.repeat(31_000)}\r\nm=audio 4000 RTP/AVP 0\r\n`],
  ])('takes no time for its %s', (_what, lines) => {
    expect(leastCpuMs(() => answerOffer(`v=0\r\n${lines}`, LOCAL))).toBeLessThan(50);
  });
});
