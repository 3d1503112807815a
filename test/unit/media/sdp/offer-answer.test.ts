import fc from 'fast-check';
import type { Direction, LocalAudio } from '../../../../media/sdp/audio-stream';
import { answerOffer, createOffer, readAnswer } from '../../../../media/sdp/offer-answer';
import type { AnswerResult, SdpFault } from '../../../../media/sdp/sdp-result';
import { SdpSession } from '../../../../media/sdp/sdp-session';
import { warningHeader } from '../../../../media/sdp/warning';
import { leastCpuMs } from '../../../support/least-cpu';

const LOCAL: LocalAudio = { localAddress: '198.51.100.1', port: 20_000, sessionId: '4611686018427387904', version: 1 };

interface OfferParts {
  readonly connection?: string | null;
  readonly session?: readonly string[];
  readonly media?: readonly string[];
}

function sdp({ connection = 'IN IP4 192.0.2.10', session = [], media }: OfferParts = {}): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.10', 's=-'];
  if (connection !== null) lines.push(`c=${connection}`);
  lines.push('t=0 0', ...session, ...(media ?? ['m=audio 4000 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000']));
  return `${lines.join('\r\n')}\r\n`;
}

function accepted(result: AnswerResult): AnswerResult & { ok: true } {
  if (!result.ok) throw new Error(`${result.fault}: ${result.detail}`);
  return result;
}

const answerTo = (parts: OfferParts, local: Partial<LocalAudio> = {}): AnswerResult & { ok: true } =>
  accepted(answerOffer(sdp(parts), { ...LOCAL, ...local }));

const faultOf = (offer: string): SdpFault | null => {
  const result = answerOffer(offer, LOCAL);
  return result.ok ? null : result.fault;
};

function repeated<T>(length: number, value: T): T[] {
  return Array.from({ length }, () => value);
}

describe('answerOffer', () => {
  it('answers a plain offer with one codec, telephone-event and our address', () => {
    const { sdp: answer, remote } = answerTo({});
    expect(answer.split('\r\n')).toEqual([
      'v=0',
      'o=- 4611686018427387904 1 IN IP4 198.51.100.1',
      's=-',
      'c=IN IP4 198.51.100.1',
      't=0 0',
      'm=audio 20000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
    expect(remote).toEqual({
      address: '192.0.2.10',
      port: 4000,
      rtcpPort: 4001,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      localTelephoneEventPayloadType: 101,
      telephoneEventClockRateHz: 8000,
      send: true,
      receive: true,
    });
  });

  test.each([
    ['static payload types without rtpmap', ['m=audio 4000 RTP/AVP 8'], 'PCMA', 8],
    ['the first codec of the offer that is ours', ['m=audio 4000 RTP/AVP 18 8 0'], 'PCMA', 8],
    ['a dynamic payload type', ['m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 pcmu/8000/1'], 'PCMU', 96],
    ['G.722 and Opus beside it', ['m=audio 4000 RTP/AVP 111 9 0', 'a=rtpmap:111 opus/48000/2'], 'PCMU', 0],
    ['an rtpmap that gives 0 another meaning', ['m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:0 PCMU/16000'], 'PCMA', 8],
    ['a number of ports', ['m=audio 4000/2 RTP/AVP 0'], 'PCMU', 0],
  ] as const)('understands %s', (_, media, codec, payloadType) => {
    expect(answerTo({ media }).remote).toMatchObject({ codec, payloadType });
  });

  it('takes a codec in one channel only', () => {
    const media = ['m=audio 4000 RTP/AVP 96 8', 'a=rtpmap:96 PCMU/8000/2'];
    expect(answerTo({ media }).remote.codec).toBe('PCMA');
    expect(faultOf(sdp({ media: ['m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 PCMU/8000/2'] }))).toBe('codec');
  });

  test.each([
    ['none offered', ['m=audio 4000 RTP/AVP 0'], null],
    ['another payload type', ['m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 telephone-event/8000'], 96],
    [
      'another clock rate first',
      ['m=audio 4000 RTP/AVP 0 100 101', 'a=rtpmap:100 telephone-event/48000', 'a=rtpmap:101 telephone-event/8000'],
      101,
    ],
  ])('telephone-event: %s', (_, media, payloadType) => {
    const { remote, sdp: answer } = answerTo({ media });
    expect(remote.telephoneEventPayloadType).toBe(payloadType);
    expect(answer.includes('telephone-event')).toBe(payloadType !== null);
  });

  test.each<[Direction, Direction, boolean, boolean]>([
    ['sendrecv', 'sendrecv', true, true],
    ['sendonly', 'recvonly', false, true],
    ['recvonly', 'sendonly', true, false],
    ['inactive', 'inactive', false, false],
  ])('an offer that is %s is answered %s', (offered, answered, send, receive) => {
    const media = ['m=audio 4000 RTP/AVP 0', `a=${offered}`];
    const atMedia = answerTo({ media });
    expect(atMedia.sdp).toContain(`a=${answered}\r\n`);
    expect(atMedia.remote).toMatchObject({ send, receive });
    const atSession = answerTo({ session: [`a=${offered}`], media: ['m=audio 4000 RTP/AVP 0'] });
    expect(atSession.remote).toMatchObject({ send, receive });
    const overridden = answerTo({ session: ['a=inactive'], media });
    expect(overridden.remote).toMatchObject({ send, receive });
  });

  test.each([
    ['IN IP4 0.0.0.0', LOCAL.localAddress],
    ['IN IP6 ::', '2001:db8::1'],
  ])('holds for the unspecified address %s', (connection, localAddress) => {
    const { remote, sdp: answer } = answerTo({ connection }, { localAddress });
    expect(remote).toMatchObject({ send: false, receive: true });
    expect(answer).toContain('a=recvonly');
  });

  it('narrows its answer to what it wants itself', () => {
    expect(answerTo({}, { direction: 'sendonly' }).sdp).toContain('a=sendonly');
    expect(answerTo({ session: ['a=sendonly'] }, { direction: 'sendonly' }).sdp).toContain('a=inactive');
  });

  it('refuses every other stream with port 0, in its place', () => {
    const { sdp: answer, remote } = answerTo({
      media: [
        'm=video 5000 RTP/AVP 96 97',
        'a=rtpmap:96 H264/90000',
        'm=audio 4000 RTP/SAVP 0',
        'm=audio 4002 RTP/AVP 0',
        'm=audio 4004 RTP/AVP 0',
        'm=application 6000 UDP/BFCP *',
        'm=image 0 udptl t38',
      ],
    });
    expect(answer.split('\r\n').filter((line) => line.startsWith('m='))).toEqual([
      'm=video 0 RTP/AVP 96 97',
      'm=audio 0 RTP/SAVP 0',
      'm=audio 20000 RTP/AVP 0',
      'm=audio 0 RTP/AVP 0',
      'm=application 0 UDP/BFCP *',
      'm=image 0 udptl t38',
    ]);
    expect(remote.port).toBe(4002);
  });

  it.each(['RTP/AVPF', 'rtp/avpf'])('answers %s in kind, and offers no feedback of its own (RFC 4585)', (profile) => {
    const media = [
      `m=audio 4000 ${profile} 0 101`,
      'a=rtpmap:101 telephone-event/8000',
      'a=rtcp-fb:* nack',
      'a=rtcp-fb:0 trr-int 100',
    ];
    const { sdp: answer, remote } = answerTo({ media });
    expect(answer).toContain('m=audio 20000 RTP/AVPF 0 101\r\n');
    expect(answer).not.toContain('rtcp-fb');
    expect(remote).toMatchObject({ port: 4000, codec: 'PCMU', telephoneEventPayloadType: 101 });
  });

  it("prefers the stream's own address and RTCP port", () => {
    const media = ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 192.0.2.77', 'a=rtcp:4999', 'a=ptime:30'];
    expect(answerTo({ media }).remote).toMatchObject({ address: '192.0.2.77', rtcpPort: 4999 });
    expect(answerTo({ connection: null, media }).remote.address).toBe('192.0.2.77');
  });

  it('speaks IPv6', () => {
    const { sdp: answer, remote } = answerTo({ connection: 'IN IP6 2001:db8::10' }, { localAddress: '2001:db8::1' });
    expect(remote.address).toBe('2001:db8::10');
    expect(answer).toContain('o=- 4611686018427387904 1 IN IP6 2001:db8::1\r\n');
    expect(answer).toContain('c=IN IP6 2001:db8::1\r\n');
  });

  it("repeats the offer's t= line", () => {
    const offer = sdp().replace('t=0 0', 't=2873397496 2873404696');
    expect(accepted(answerOffer(offer, LOCAL)).sdp).toContain('t=2873397496 2873404696\r\n');
  });

  it('reads bare line feeds', () => {
    expect(faultOf(sdp().replaceAll('\r\n', '\n'))).toBeNull();
  });

  test.each<[SdpFault, string, string]>([
    ['malformed', 'no SDP at all', 'hello'],
    ['malformed', 'an empty body', ''],
    ['malformed', 'a body beyond 32 KiB', sdp({ session: [`a=x:${'y'.repeat(33_000)}`] })],
    ['malformed', 'more streams than an answer could name', sdp({ media: repeated(129, 'm=audio 0 RTP/AVP 0') })],
    ['codec', 'an m= line without formats', sdp({ media: ['m=audio 4000 RTP/AVP'] })],
    ['no_audio', 'a port beyond 65535', sdp({ media: ['m=audio 70000 RTP/AVP 0'] })],
    ['no_audio', 'no stream', sdp({ media: [] })],
    ['no_audio', 'video alone', sdp({ media: ['m=video 4000 RTP/AVP 96'] })],
    ['no_audio', 'audio switched off', sdp({ media: ['m=audio 0 RTP/AVP 0'] })],
    ['transport', 'SRTP alone', sdp({ media: ['m=audio 4000 RTP/SAVP 0'] })],
    ['transport', 'SRTP with feedback alone', sdp({ media: ['m=audio 4000 RTP/SAVPF 0'] })],
    ['transport', 'WebRTC', sdp({ media: ['m=audio 9 UDP/TLS/RTP/SAVPF 111 0'] })],
    ['codec', 'other codecs', sdp({ media: ['m=audio 4000 RTP/AVP 18 9 3'] })],
    [
      'codec',
      'telephone-event alone',
      sdp({ media: ['m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000'] }),
    ],
    ['codec', 'two channels', sdp({ media: ['m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000/2'] })],
    ['address', 'no c= line', sdp({ connection: null })],
    ['address', 'a host name', sdp({ connection: 'IN IP4 media.example.com' })],
    ['address', 'a group', sdp({ connection: 'IN IP4 224.2.1.1/127' })],
    ['address', 'a group without TTL', sdp({ connection: 'IN IP4 224.2.1.1' })],
    ['address', 'broadcast', sdp({ connection: 'IN IP4 255.255.255.255' })],
    ['address', 'an address of "this network"', sdp({ connection: 'IN IP4 0.0.0.7' })],
    ['address', 'IPv6 toward an IPv4 node', sdp({ connection: 'IN IP6 2001:db8::10' })],
    ['address', 'an octet out of range', sdp({ connection: 'IN IP4 1.2.3.400' })],
  ])('refuses as %s: %s', (fault, _, offer) => {
    expect(faultOf(offer)).toBe(fault);
  });

  it('keeps names out of the prototype', () => {
    const offer = sdp({
      session: ['a=__proto__:x', 'a=constructor:y'],
      media: ['m=audio 4000 RTP/AVP 0', 'a=rtpmap:__proto__ x/1'],
    });
    expect(faultOf(offer)).toBeNull();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('any mutation of an offer is answered or refused, without throwing, in time, and the answer is one', () => {
    const valid = sdp({
      media: [
        'm=audio 4000 RTP/AVP 0 8 101',
        'a=rtpmap:101 telephone-event/8000',
        'a=fmtp:101 0-15',
        'a=ptime:20',
        'm=video 5000 RTP/AVP 96',
      ],
    });
    const mutation = fc.record({
      at: fc.nat(valid.length),
      remove: fc.nat(6),
      insert: fc.string({ maxLength: 8, unit: 'binary' }),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        let offer = valid;
        for (const { at, remove, insert } of mutations) offer = offer.slice(0, at) + insert + offer.slice(at + remove);
        const result = answerOffer(offer, LOCAL);
        expect(leastCpuMs(() => answerOffer(offer, LOCAL))).toBeLessThan(50);
        if (!result.ok) return;
        expect(result.remote.port).toBeGreaterThan(0);
        expect(
          result.sdp
            .split('\r\n')
            .slice(0, -1)
            .every((line) => /^[a-z]=[^\r\n]*$/.test(line)),
        ).toBe(true);
        expect(readAnswer(result.sdp, { localAddress: LOCAL.localAddress }, result.sdp).ok).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('lines made to stall a regular expression do not', () => {
    const long = 'a'.repeat(8000);
    const lines = [
      `a=candidate:${'1 '.repeat(4000)}`,
      `a=fmtp:96 ${long}`,
      `a=ssrc:1 ${long}`,
      `a=msid:${' '.repeat(8000)}`,
    ];
    for (const line of lines) {
      expect(leastCpuMs(() => answerOffer(sdp({ session: [line] }), LOCAL))).toBeLessThan(50);
    }
  });
});

describe('createOffer and readAnswer', () => {
  it('offers PCMU, PCMA and telephone-event', () => {
    expect(createOffer(LOCAL)).toContain('m=audio 20000 RTP/AVP 0 8 101\r\n');
    expect(createOffer({ ...LOCAL, direction: 'sendonly' })).toMatch(/RTP\/AVP 0 8 101\r\n.*\r\na=sendonly\r\n/s);
  });

  it("takes the answer's first codec and telephone-event", () => {
    const answer = sdp({ media: ['m=audio 4000 RTP/AVP 8 0 101', 'a=rtpmap:101 telephone-event/8000'] });
    expect(readAnswer(answer, LOCAL)).toMatchObject({
      ok: true,
      remote: { codec: 'PCMA', telephoneEventPayloadType: 101 },
    });
  });

  test.each([
    ['renumbers telephone-event', ['m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 telephone-event/8000'], 96],
    ['leaves telephone-event out', ['m=audio 4000 RTP/AVP 0'], null],
  ])('keeps our number beside the peer’s when the answer %s', (_, media, payloadType) => {
    expect(readAnswer(sdp({ media }), LOCAL, createOffer(LOCAL))).toMatchObject({
      ok: true,
      remote: { telephoneEventPayloadType: payloadType, localTelephoneEventPayloadType: 101 },
    });
  });

  test.each<[SdpFault, string, string]>([
    ['mismatch', 'no stream', sdp({ media: [] })],
    ['mismatch', 'another kind of stream', sdp({ media: ['m=video 4000 RTP/AVP 96'] })],
    ['no_audio', 'a refused stream', sdp({ media: ['m=audio 0 RTP/AVP 0'] })],
    ['codec', 'a codec we did not offer', sdp({ media: ['m=audio 4000 RTP/AVP 18'] })],
    ['malformed', 'rubbish', '\u0000\u0001'],
  ])('refuses as %s: %s', (fault, _, answer) => {
    expect(readAnswer(answer, LOCAL)).toMatchObject({ ok: false, fault });
  });

  it('what one side offers and the other answers, both understand alike', () => {
    // Of G.729 neither side of ours knows anything.
    const types = { PCMU: 0, PCMA: 8, G729: 18 } as const;
    const codecs = fc.shuffledSubarray(['PCMU', 'PCMA', 'G729'] as const, { minLength: 1 });
    const withCodecs = (text: string, chosen: readonly (keyof typeof types)[]): string =>
      text.replace(/RTP\/AVP .*101\r/, `RTP/AVP ${chosen.map((codec) => types[codec]).join(' ')} 101\r`);
    const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
    fc.assert(
      fc.property(codecs, codecs, direction, direction, (offered, kept, wanted, answered) => {
        const offer = withCodecs(createOffer({ ...LOCAL, direction: wanted }), offered);
        const result = answerOffer(offer, { ...LOCAL, port: 30_000, direction: answered });
        const common = offered.filter((codec) => codec !== 'G729');
        expect(result.ok).toBe(common.length > 0);
        if (!result.ok) return;
        const reordered = readAnswer(withCodecs(result.sdp, kept), LOCAL, offer);
        const understood = kept.find((codec) => codec !== 'G729');
        expect(reordered.ok ? reordered.remote.codec : undefined).toBe(understood);
        const read = readAnswer(result.sdp, LOCAL, offer);
        expect(read).toMatchObject({
          ok: true,
          remote: { codec: common[0], port: 30_000, telephoneEventPayloadType: 101 },
        });
        if (!read.ok) return;
        expect(result.remote.codec).toBe(read.remote.codec);
        // What we may send, the other side expects, and the other way round.
        const mine = {
          send: wanted === 'sendrecv' || wanted === 'sendonly',
          receive: wanted === 'sendrecv' || wanted === 'recvonly',
        };
        expect(read.remote.send && mine.send).toBe(
          result.remote.receive && (answered === 'sendrecv' || answered === 'recvonly'),
        );
      }),
    );
  });
});

describe('SdpSession', () => {
  const open = (): SdpSession => new SdpSession({ localAddress: LOCAL.localAddress, port: 20_000 });
  const origin = (text: string): string => /^o=- (\S+ \S+) /m.exec(text)?.[1] ?? '';

  it('keeps its session id and raises the version only when something changes', () => {
    const session = open();
    const first = accepted(session.answer(sdp()));
    const refresh = accepted(session.answer(sdp()));
    const hold = accepted(session.answer(sdp({ session: ['a=sendonly'] })));
    const resume = accepted(session.answer(sdp()));
    expect(refresh.sdp).toBe(first.sdp);
    expect([first, hold, resume].map(({ sdp: text }) => origin(text))).toEqual(
      [1, 2, 3].map((version) => `${session.sessionId} ${version}`),
    );
  });

  it('has a session id of its own that fits a signed 64-bit integer', () => {
    const ids = [open(), open(), open()].map(({ sessionId }) => BigInt(sessionId));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id >= 0n && id < 2n ** 62n).toBe(true);
  });

  it('a later offer keeps the streams in their places and the payload types they had', () => {
    const session = open();
    session.answer(
      sdp({ media: ['m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 telephone-event/8000'] }),
    );
    const offer = session.offer('sendonly');
    expect(offer.split('\r\n').filter((line) => line.startsWith('m='))).toEqual([
      'm=video 0 RTP/AVP 96',
      'm=audio 20000 RTP/AVP 0 8 96',
    ]);
    expect(origin(offer)).toBe(`${session.sessionId} 2`);
    const answer = sdp({ media: ['m=video 0 RTP/AVP 96', 'm=audio 4000 RTP/AVP 0'] });
    expect(session.readAnswer(answer)).toMatchObject({ ok: true, remote: { port: 4000 } });
  });

  it('a later offer keeps the profile that was answered', () => {
    const session = new SdpSession({ localAddress: LOCAL.localAddress, port: LOCAL.port });
    session.answer(sdp({ media: ['m=audio 4000 RTP/AVPF 0'] }));
    expect(session.offer()).toContain('m=audio 20000 RTP/AVPF 0 8 101\r\n');
  });

  it('an offer that only refreshes is the SDP in force, word for word', () => {
    const session = open();
    expect(session.refreshOffer()).toBeNull();
    const { sdp: held } = accepted(session.answer(sdp({ session: ['a=sendonly'] })));
    expect(session.refreshOffer()).toBe(held);
    expect(session.readAnswer(sdp()).ok).toBe(true);
    expect(session.refreshOffer()).toBe(held);

    const caller = open();
    const offer = caller.offer();
    expect(caller.refreshOffer()).toBeNull();
    caller.readAnswer(sdp());
    expect(caller.refreshOffer()).toBe(offer);
  });

  it('what was offered in vain is not in force, and its version is not used again', () => {
    const session = open();
    const { sdp: held } = accepted(session.answer(sdp({ session: ['a=sendonly'] })));
    expect(origin(session.offer())).toBe(`${session.sessionId} 2`);
    expect(session.readAnswer(sdp({ media: [] })).ok).toBe(false);
    const refresh = session.refreshOffer()!;
    expect(refresh).toBe(held.replace(`${session.sessionId} 1`, `${session.sessionId} 3`));
    expect(session.refreshOffer()).toBe(refresh);
  });

  it('a refused offer leaves the version as it was', () => {
    const session = open();
    session.answer(sdp());
    expect(session.answer(sdp({ media: [] })).ok).toBe(false);
    expect(origin(accepted(session.answer(sdp())).sdp)).toBe(`${session.sessionId} 1`);
  });
});

describe('warningHeader', () => {
  test.each<[SdpFault, string]>([
    ['codec', '305 host.example "Incompatible media format"'],
    ['transport', '302 host.example "Incompatible transport protocol"'],
    ['address', '301 host.example "Incompatible network address formats"'],
    ['no_audio', '304 host.example "Media type not available"'],
    ['malformed', '399 host.example "Session description not understood"'],
    ['mismatch', '399 host.example "Answer does not match the offer"'],
  ])('names %s', (fault, header) => {
    expect(warningHeader(fault, 'host.example')).toBe(header);
  });
});
