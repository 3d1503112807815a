import fc from 'fast-check';
import { encodeG711 } from '../../../../media/codec/g711';
import { Bench, REMOTE, SILENCE } from '../../../fakes/media/rtp/session-bench';
import type { RtpPacket } from '../../../support/rtp-packet';
import { amplitudeAt, sine } from '../../../support/tones';

function encoded(pcm: Int16Array): Uint8Array {
  const out = new Uint8Array(pcm.length);
  encodeG711('PCMU', pcm, 0, pcm.length, out);
  return out;
}

function repeated<T>(length: number, value: T): T[] {
  return Array.from({ length }, () => value);
}

describe('MediaSession', () => {
  it('sends nothing before the remote side is known, then silence at once', () => {
    const bench = new Bench();
    bench.run(5);
    expect(bench.rtp).toEqual([]);
    bench.session.setRemote(REMOTE, bench.nowMs);
    bench.run(3);
    expect(bench.rtp.map(({ address, port }) => `${address}:${port}`)).toEqual(repeated(3, '192.0.2.10:4000'));
    expect(bench.sent.map(({ payload }) => [...payload])).toEqual(repeated(3, [...SILENCE]));
    expect(bench.events).toEqual(['sent 100']);
  });

  it('numbers packets on, with one SSRC and timestamps that count the silence too', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(2);
    bench.session.sources.queue.play(1, sine(400, 320), true);
    bench.run(4);
    const [first, ...rest] = bench.sent as [RtpPacket, ...RtpPacket[]];
    rest.forEach((packet, i) => {
      expect(packet.ssrc).toBe(first.ssrc);
      expect(packet.sequenceNumber).toBe((first.sequenceNumber + i + 1) & 0xffff);
      expect(packet.timestamp).toBe((first.timestamp + (i + 1) * 160) >>> 0);
    });
    expect(bench.sent.map(({ marker }) => marker)).toEqual([true, false, true, false, false, false]);
    expect(bench.events).toContain('finished 1');
  });

  it('starts numbers, timestamps and SSRC at random', () => {
    const starts = [1, 2, 3].map(() => {
      const bench = new Bench();
      bench.session.setRemote(REMOTE, 0);
      bench.run(1);
      const { ssrc, sequenceNumber, timestamp } = bench.sent[0] as RtpPacket;
      return [ssrc, sequenceNumber, timestamp].join();
    });
    expect(new Set(starts).size).toBe(3);
  });

  it('advances the timestamp, not the sequence, over a stall', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1);
    bench.run(1, undefined, 7);
    const [first, second] = bench.sent as [RtpPacket, RtpPacket];
    expect(second.sequenceNumber).toBe((first.sequenceNumber + 1) & 0xffff);
    expect(second.timestamp).toBe((first.timestamp + 8 * 160) >>> 0);
  });

  it('plays what it is given as the negotiated codec', () => {
    const bench = new Bench();
    bench.session.setRemote({ ...REMOTE, codec: 'PCMA', payloadType: 8 }, 0);
    bench.run(1);
    expect((bench.sent[0] as RtpPacket).payloadType).toBe(8);
    expect((bench.sent[0] as RtpPacket).payload[0]).toBe(0xd5);
  });

  it('hands out what it sends: as loud as it leaves, zeros where that is silence or nothing', () => {
    const bench = new Bench();
    const silence = new Int16Array(160);
    bench.session.setRemote(REMOTE, 0);
    bench.run(1);
    expect(bench.sentPcm).toEqual(silence);
    const tone = sine(400, 160);
    for (let i = 0; i < 4; i++) bench.session.sources.queue.play(1, tone, i === 3);
    bench.run(1);
    expect(bench.sentPcm).toEqual(tone);
    bench.session.sources.queue.setGain(0.5);
    bench.run(2);
    expect(bench.sentPcm).toEqual(tone.map((sample) => Math.round(sample * 0.5)));
    bench.session.setRemote({ ...REMOTE, send: false }, bench.nowMs);
    bench.run(1);
    expect(bench.sentPcm).toEqual(silence);
    bench.session.setRemote(REMOTE, bench.nowMs);
    bench.run(2);
    expect(bench.sentPcm).toEqual(silence);
  });

  it('hands out what it receives, from the right source only', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    const tone = encoded(sine(400, 160));
    const heard: Int16Array[] = [];
    bench.run(20, () => {
      bench.receive(tone);
      bench.receive(encoded(sine(1000, 160)), { address: '203.0.113.66', ssrc: 43, sequenceNumber: 1 });
      heard.push(bench.session.pcm.slice());
    });
    expect(bench.pcmReceived).toBe(true);
    expect(amplitudeAt(heard.at(-1) as Int16Array, 400)).toBeGreaterThan(7500);
    expect(amplitudeAt(heard.at(-1) as Int16Array, 1000)).toBeLessThan(300);
    expect(bench.session.close(bench.nowMs)).toMatchObject({ packetsReceived: 20, packetsForeign: 20, packetsLost: 0 });
    expect(bench.events.filter((event) => event.startsWith('received'))).toEqual(['received 0']);
  });

  it('echoes what comes in on its own schedule', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.session.echo();
    const tone = encoded(sine(400, 160));
    bench.run(20, () => bench.receive(tone));
    expect((bench.sent.at(-1) as RtpPacket).payload).toEqual(tone);
  });

  test.each([101, 96])('hears DTMF as %i when our SDP says 101 and the peer’s says 96', (payloadType) => {
    const bench = new Bench();
    bench.session.setRemote({ ...REMOTE, telephoneEventPayloadType: 96, localTelephoneEventPayloadType: 101 }, 0);
    bench.run(1, () => bench.receive(Uint8Array.of(5, 0x8a, 3, 0x20), { payloadType, timestamp: 800 }));
    expect(bench.events).toContain('dtmf 5 100');
  });

  it('tells events from audio that the peer calls by our number for events', () => {
    const bench = new Bench();
    const remote = { ...REMOTE, payloadType: 101, telephoneEventPayloadType: 96, localTelephoneEventPayloadType: 101 };
    bench.session.setRemote(remote, 0);
    const tone = encoded(sine(400, 160));
    bench.run(20, () => bench.receive(tone, { payloadType: 101 }));
    expect(amplitudeAt(bench.session.pcm, 400)).toBeGreaterThan(7000);
    bench.run(1, () => bench.receive(Uint8Array.of(5, 0x8a, 3, 0x20), { payloadType: 101 }));
    expect(bench.events.filter((event) => event.startsWith('dtmf'))).toEqual(['dtmf 5 100']);
  });

  it('hears DTMF that comes as a stream of its own, once a press, and the audio beside it', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    const tone = encoded(sine(400, 160));
    bench.run(20, (frame) => {
      bench.receive(tone);
      const payload = Uint8Array.of(7, 0x0a, 0, (frame + 1) * 8);
      bench.receive(payload, { payloadType: 101, ssrc: 77, sequenceNumber: frame, timestamp: 800 });
    });
    expect(amplitudeAt(bench.session.pcm, 400)).toBeGreaterThan(7000);
    bench.run(20);
    expect(bench.events.filter((event) => event.startsWith('dtmf'))).toHaveLength(1);
    expect(bench.session.close(bench.nowMs).packetsLost).toBe(0);
  });

  it('reports DTMF and does not play it', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(10, (frame) => {
      if (frame < 5)
        bench.receive(Uint8Array.of(7, frame === 4 ? 0x8a : 0x0a, 0, (frame + 1) * 32), {
          payloadType: 101,
          timestamp: 800,
        });
    });
    expect(bench.events).toContain('dtmf 7 20');
    expect(bench.session.close(bench.nowMs)).toMatchObject({ packetsReceived: 5, packetsLost: 0 });
  });

  it('does not hear a foreign DTMF digit', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(5, () => bench.receive(Uint8Array.of(7, 0x8a, 1, 0), { payloadType: 101, address: '203.0.113.66' }));
    expect(bench.events.join()).not.toContain('dtmf');
  });

  it('answers to where packets really come from (symmetric RTP)', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(8, () => bench.receive(SILENCE, { port: 61_000 }));
    expect(bench.rtp[0]?.port).toBe(4000);
    expect(bench.rtp.at(-1)).toMatchObject({ port: 61_000, address: '192.0.2.10' });
  });

  it('is connected to a peer that speaks from where its SDP says, until that is silent or somebody else is named', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(3);
    expect(bench.connected).toEqual([]);
    bench.run(5, () => bench.receive(SILENCE));
    expect(bench.connected).toEqual(['192.0.2.10:4000']);
    bench.run(14);
    expect(bench.connected).toHaveLength(1);
    // Before anybody else could be learned in its place.
    bench.run(3);
    expect(bench.connected).toEqual(['192.0.2.10:4000', null]);
    bench.run(5, () => bench.receive(SILENCE));
    bench.session.setRemote({ ...REMOTE, port: 6000 }, bench.nowMs);
    expect(bench.connected.slice(2)).toEqual(['192.0.2.10:4000', null]);
    bench.run(1, () => bench.receive(SILENCE, { port: 6000 }));
    expect(bench.connected.slice(4)).toEqual(['192.0.2.10:6000']);
  });

  it('is connected to nobody that was learned: the port of the SDP must be heard whenever it speaks', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(10, () => bench.receive(SILENCE, { port: 61_000 }));
    expect(bench.rtp.at(-1)).toMatchObject({ port: 61_000 });
    expect(bench.connected).toEqual([]);
  });

  it('does not send to a private address that a public peer names, until that peer is heard', () => {
    const bench = new Bench();
    const peer = '198.51.100.7';
    bench.session.setRemote({ ...REMOTE, address: '10.0.0.5', signallingAddress: peer }, 0);
    bench.run(5);
    expect(bench.rtp).toEqual([]);
    bench.run(5, () => bench.receive(SILENCE, { address: peer, port: 61_000 }));
    expect(bench.rtp.length).toBeGreaterThan(0);
    expect(new Set(bench.rtp.map(({ address }) => address))).toEqual(new Set([peer]));
  });

  it('without private targets believes no packet from a private address in SDP, only those of the peer', () => {
    const bench = new Bench(false);
    const peer = '172.17.0.1';
    bench.session.setRemote({ ...REMOTE, address: '10.0.0.5', signallingAddress: peer }, 0);
    bench.run(400, () => bench.receive(SILENCE, { address: '10.0.0.5', port: REMOTE.port }));
    expect([...bench.rtp, ...bench.rtcp]).toEqual([]);
    bench.run(400, () => bench.receive(SILENCE, { address: peer, port: 61_000 }));
    expect(bench.rtp.length).toBeGreaterThan(0);
    expect(new Set([...bench.rtp, ...bench.rtcp].map(({ address }) => address))).toEqual(new Set([peer]));
  });

  it('with private targets talks to a private address in SDP that is heard', () => {
    const bench = new Bench();
    bench.session.setRemote({ ...REMOTE, address: '10.0.0.5', signallingAddress: '198.51.100.7' }, 0);
    bench.run(5, () => bench.receive(SILENCE, { address: '10.0.0.5', port: REMOTE.port }));
    expect(new Set(bench.rtp.map(({ address }) => address))).toEqual(new Set(['10.0.0.5']));
  });

  it('keeps speech back for the first packet behind a NAT, at most 500 ms', () => {
    const nat = { ...REMOTE, signallingAddress: '198.51.100.7' };
    const early = new Bench();
    early.session.setRemote(nat, 0);
    early.session.sources.queue.play(1, sine(400, 16_000), true);
    early.run(10);
    expect(early.session.sources.queue.played(1)).toBe(0);
    early.run(1, () => early.receive(SILENCE));
    expect(early.session.sources.queue.played(1)).toBe(160);

    const never = new Bench();
    never.session.setRemote(nat, 0);
    never.session.sources.queue.play(1, sine(400, 16_000), true);
    never.run(25);
    expect(never.session.sources.queue.played(1)).toBe(0);
    never.run(1);
    expect(never.session.sources.queue.played(1)).toBe(160);
  });

  it('sends nothing on hold and keeps what it was playing', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.session.sources.queue.play(1, sine(400, 1600), true);
    bench.run(3);
    bench.session.setRemote({ ...REMOTE, address: '0.0.0.0', send: false }, bench.nowMs);
    bench.run(10);
    expect(bench.rtp).toHaveLength(3);
    bench.session.setRemote(REMOTE, bench.nowMs);
    bench.run(1);
    const [, , third, fourth] = bench.sent as RtpPacket[];
    expect(bench.session.sources.queue.played(1)).toBe(640);
    expect(fourth?.timestamp).toBe(((third?.timestamp ?? 0) + 11 * 160) >>> 0);
    expect(fourth?.marker).toBe(true);
    expect(bench.rtp.at(-1)?.address).toBe('192.0.2.10');
  });

  it('a new SSRC starts a new stream', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(10, () => bench.receive(SILENCE));
    bench.run(10, () => bench.receive(encoded(sine(400, 160)), { ssrc: 99, timestamp: 77_000_000 + bench.nowMs * 8 }));
    expect(amplitudeAt(bench.session.pcm, 400)).toBeGreaterThan(7000);
  });

  it('no datagram of the peer or of anybody else makes it throw or stop', () => {
    const datagram = fc.record({
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        // The beginning of RTP or RTCP, so that most get further than the version.
        fc
          .tuple(
            fc.constantFrom(0x80, 0x90, 0xa0, 0xb3),
            fc.integer({ min: 0, max: 255 }),
            fc.uint8Array({ maxLength: 400 }),
          )
          .map(([first, second, rest]) => Uint8Array.of(first, second, ...rest)),
      ),
      address: fc.constantFrom(REMOTE.address, '203.0.113.66'),
      port: fc.constantFrom(0, 4000, 4001, 5000),
      rtcp: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 60 }), (datagrams) => {
        const bench = new Bench();
        bench.session.setRemote(REMOTE, 0);
        for (const { bytes, address, port, rtcp } of datagrams) {
          if (rtcp) bench.session.receiveRtcp(bytes, address, port, bench.nowMs);
          else bench.session.receiveRtp(bytes, address, port, bench.nowMs);
          bench.run(1);
        }
        expect(bench.rtp).toHaveLength(datagrams.length);
        expect(bench.rtp.every(({ port }) => port > 0)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('counts payload types nobody agreed on as life, not as audio', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(5, () => bench.receive(SILENCE, { payloadType: 18 }));
    expect(bench.pcmReceived).toBe(false);
    expect(bench.session.close(bench.nowMs).packetsReceived).toBe(5);
  });
});
