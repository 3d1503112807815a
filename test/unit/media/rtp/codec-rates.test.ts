/** Codecs of other rates and clocks than the graph's, through whole sessions. */
import { createCodec } from '../../../../media/codec/codec';
import { atGraphRate } from '../../../../media/codec/graph-rate-codec';
import { MediaGraph } from '../../../../media/rtp/media-graph';
import type { RtpRemote } from '../../../../media/rtp/rtp-session';
import { LINEAR, LINEAR_PAYLOAD_TYPE, LinearCodec } from '../../../fakes/media/codec/linear-codec';
import type { LinearOptions } from '../../../fakes/media/codec/linear-codec';
import { Bench, REMOTE } from '../../../fakes/media/rtp/session-bench';
import type { RtpPacket } from '../../../support/rtp-packet';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const TONE = 8000;
const FRAME = 160;

interface Case extends LinearOptions {
  readonly title: string;
  /** Of its samples, which one octet does not hold well. */
  readonly noise: number;
}

const CASES: readonly Case[] = [
  { title: '16 kHz', sampleRateHz: 16_000, clockRateHz: 16_000, noise: 10 },
  { title: '16 kHz with the clock of 8 kHz', sampleRateHz: 16_000, clockRateHz: 8_000, noise: 10 },
  { title: '24 kHz', sampleRateHz: 24_000, clockRateHz: 24_000, noise: 10 },
  { title: '48 kHz', sampleRateHz: 48_000, clockRateHz: 48_000, sampleBytes: 1, noise: 200 },
];
const [WIDE, WIDE_OF_NARROW_CLOCK] = CASES as readonly [Case, Case, ...Case[]];

/** A session with a peer of that codec. */
class WideLine {
  readonly bench: Bench;
  readonly options: LinearOptions;
  readonly remote: RtpRemote;
  /** What the session's tap has heard. */
  readonly heard: Int16Array[] = [];
  readonly #codec: LinearCodec;
  #timestamp = 4_294_960_000;
  #samples = 0;

  constructor(options: LinearOptions, change: Partial<RtpRemote> = {}) {
    this.options = options;
    this.#codec = new LinearCodec(options);
    this.bench = new Bench(true, 30_000, false, (name) =>
      name === LINEAR ? new LinearCodec(options) : createCodec(name),
    );
    this.remote = { ...REMOTE, codec: LINEAR, payloadType: LINEAR_PAYLOAD_TYPE, ...change };
    this.bench.session.setRemote(this.remote, 0);
  }

  /** The peer's next frame of a tone; null: its packet is lost. */
  say(hz: number, lost = false): void {
    const { frameSamples, frameTicks, frameBytes } = this.#codec;
    const payload = new Uint8Array(frameBytes);
    this.#codec.encode(this.tone(hz, frameSamples, this.#samples), payload, 0);
    this.#samples += frameSamples;
    this.#timestamp = (this.#timestamp + frameTicks) >>> 0;
    const packet = { payloadType: LINEAR_PAYLOAD_TYPE, timestamp: this.#timestamp };
    if (!lost) this.bench.receive(payload, packet);
  }

  tone(hz: number, samples: number, from = 0): Int16Array {
    const { sampleRateHz } = this.options;
    return sine((hz * 8000) / sampleRateHz, samples, TONE, (2 * Math.PI * hz * from) / sampleRateHz);
  }

  /** What the session hears of `frames` frames of the tone. */
  hears(hz: number, frames: number, lost: (frame: number) => boolean = () => false): Int16Array {
    const pcm = new Int16Array(frames * FRAME);
    for (let frame = 0; frame < frames; frame++) {
      this.bench.run(1, () => this.say(hz, lost(frame)));
      pcm.set(this.bench.session.pcm, frame * FRAME);
    }
    return pcm;
  }

  get audio(): RtpPacket[] {
    return this.bench.sent.filter(({ payloadType }) => payloadType === LINEAR_PAYLOAD_TYPE);
  }

  /** What left since the packet `from`, as the peer decodes it. */
  sent(from = 0): Int16Array {
    const { frameSamples, frameTicks } = this.#codec;
    const packets = this.audio.slice(from);
    const pcm = new Int16Array(packets.length * frameSamples);
    packets.forEach(({ payload }, i) => {
      this.#codec.decode(payload, 0, frameTicks, pcm.subarray(i * frameSamples, (i + 1) * frameSamples), 0);
    });
    return pcm;
  }

  /** Amplitude of a tone at the codec's rate. */
  amplitudeAt(pcm: Int16Array, hz: number): number {
    return amplitudeAt(pcm, (hz * 8000) / this.options.sampleRateHz);
  }

  get events(): RtpPacket[] {
    return this.bench.sent.filter(({ payloadType }) => payloadType === 101);
  }
}

const durationOf = ({ payload }: RtpPacket): number => (payload[2]! << 8) | payload[3]!;

describe.each(CASES)('a codec of $title', (codec) => {
  const frameTicks = codec.clockRateHz / 50;

  test.each([300, 1000, 3000, 3400])('is heard at the rate of the graph: %i Hz, as loud as it came', (hz) => {
    const heard = new WideLine(codec).hears(hz, 60).subarray(10 * FRAME);
    expect(amplitudeAt(heard, hz)).toBeGreaterThan(0.99 * TONE);
    expect(amplitudeAt(heard, hz)).toBeLessThan(1.01 * TONE);
    expect(rms(heard)).toBeLessThan(1.01 * (TONE / Math.SQRT2) + codec.noise);
  });

  test.each([4400, 5000, 6000, 7000])('nothing of %i Hz folds into the band', (hz) => {
    expect(rms(new WideLine(codec).hears(hz, 60).subarray(10 * FRAME))).toBeLessThan(codec.noise);
  });

  test.each([300, 1000, 3000, 3400])('sends what plays in its own rate: %i Hz, and no image of it', (hz) => {
    const line = new WideLine(codec);
    line.bench.session.sources.queue.play(1, sine(hz, 60 * FRAME), true);
    line.bench.run(60);
    const sent = line.sent(10);
    expect(line.amplitudeAt(sent, hz)).toBeGreaterThan(0.98 * TONE);
    expect(line.amplitudeAt(sent, hz)).toBeLessThan(1.02 * TONE);
    for (const image of [8000 - hz, Math.min(8000 + hz, codec.sampleRateHz / 2 - 50)]) {
      expect(line.amplitudeAt(sent, image)).toBeLessThan(Math.max(10, codec.noise / 2));
    }
  });

  test('the tap hears what is sent at the rate of the graph, before any change of it', () => {
    const { bench } = new WideLine(codec);
    const tone = sine(1000, FRAME);
    bench.session.sources.queue.play(1, tone, true);
    bench.run(1);
    expect(bench.sentPcm).toEqual(tone);
  });

  test('says the last of its words, and then nothing', () => {
    const line = new WideLine(codec);
    line.bench.session.sources.queue.play(1, sine(1000, 5 * FRAME), true);
    line.bench.run(8);
    const frame = codec.sampleRateHz / 50;
    // 3 ms later than it was played; the filter reaches as far again.
    expect(rms(line.sent(5).subarray(0, (frame * 3) / 20))).toBeGreaterThan(1000);
    expect(rms(line.sent(5).subarray((frame * 7) / 20))).toBeLessThanOrEqual(codec.sampleBytes === 1 ? 256 : 0);
    expect(rms(line.sent(6))).toBe(0);
  });

  test('time stamps advance by its clock, over a stall too', () => {
    const { bench, audio: none } = new WideLine(codec);
    expect(none).toEqual([]);
    bench.run(3);
    bench.run(1, undefined, 7);
    const [first, second, third, fourth] = bench.sent as [RtpPacket, RtpPacket, RtpPacket, RtpPacket];
    const since = ({ timestamp }: RtpPacket): number => (timestamp - first.timestamp) >>> 0;
    expect([second, third, fourth].map(since)).toEqual([frameTicks, 2 * frameTicks, 10 * frameTicks]);
    expect(first.payload).toHaveLength((codec.sampleRateHz / 50) * (codec.sampleBytes ?? 2));
  });

  test('sender reports count in its clock, and receiver reports its jitter', () => {
    const line = new WideLine(codec);
    const { bench } = line;
    // Every second packet is 8 ms late.
    for (let frame = 0; frame < 600; frame++) {
      bench.nowMs += frame % 2 === 0 ? 0 : 8;
      line.say(1000);
      bench.nowMs -= frame % 2 === 0 ? 0 : 8;
      bench.run(1);
    }
    expect(bench.rtcp.length).toBeGreaterThan(0);
    const report = new DataView(bench.rtcp.at(-1)!.packet.slice().buffer);
    const stats = bench.session.close(bench.nowMs);
    const jitter = report.getUint32(28 + 12);
    expect(jitter / (codec.clockRateHz / 1000)).toBeGreaterThan(7);
    expect(jitter / (codec.clockRateHz / 1000)).toBeLessThan(9);
    expect(stats).toMatchObject({ packetsReceived: 600, packetsLost: 0, packetsLate: 0 });
    expect(stats.jitterMs).toBeGreaterThan(7);
    expect(stats.jitterMs).toBeLessThan(9);
    // The report's RTP timestamp stands for its NTP time, as those of the packets do for theirs.
    const [first] = bench.sent as [RtpPacket];
    const sentMs = report.getUint32(8) * 1000 + (report.getUint32(12) / 2 ** 32) * 1000 - 2_208_988_800_000;
    const ticks = (report.getUint32(16) - first.timestamp) >>> 0;
    expect(ticks / (codec.clockRateHz / 1000)).toBeCloseTo(sentMs - 1_700_000_000_000, 0);
  });

  test('a lost packet is filled in, and its neighbours are heard whole', () => {
    const heard = new WideLine(codec).hears(400, 60, (frame) => frame === 30);
    const levels = Array.from({ length: 40 }, (_, i) => rms(heard.subarray((15 + i) * FRAME, (16 + i) * FRAME)));
    expect(Math.min(...levels)).toBeGreaterThan(0.6 * (TONE / Math.SQRT2));
    expect(Math.max(...levels)).toBeLessThan(1.4 * (TONE / Math.SQRT2));
  });

  test('packets that come a part of a frame off are heard whole', () => {
    const line = new WideLine(codec);
    line.bench.nowMs = 7.3;
    const heard = line.hears(1000, 60).subarray(10 * FRAME);
    expect(amplitudeAt(heard, 1000)).toBeGreaterThan(0.99 * TONE);
    expect(rms(heard)).toBeLessThan(1.01 * (TONE / Math.SQRT2) + codec.noise);
  });

  test('keys count in the clock of telephone-event: the codec’s, or what was agreed on', () => {
    for (const [clockRateHz, change] of [
      [codec.clockRateHz, {}],
      [8000, { telephoneEventClockRateHz: 8000 }],
    ] as const) {
      const line = new WideLine(codec, change);
      line.bench.session.keys.press('5', () => undefined);
      line.bench.run(20);
      const durations = line.events.map(durationOf);
      expect(durations.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((frames) => (frames * clockRateHz) / 50));
      expect(new Set(line.events.map(({ timestamp }) => timestamp)).size).toBe(1);
      line.bench.receive(Uint8Array.of(7, 0x8a, (clockRateHz / 10) >> 8, (clockRateHz / 10) & 0xff), {
        payloadType: 101,
        timestamp: 800,
      });
      expect(line.bench.events).toContain('dtmf 7 100');
    }
  });
});

describe('sessions of codecs of different rates', () => {
  test.each(CASES)('G.711 and $title hear each other through the graph', (codec) => {
    const graph = new MediaGraph(() => undefined);
    const wide = new WideLine(codec);
    const narrow = new Bench();
    narrow.session.setRemote(REMOTE, 0);
    const law = createCodec('PCMU');
    graph.add(1, wide.bench.session, wide.bench.tap);
    graph.add(2, narrow.session, narrow.tap);
    graph.connect(1, 2);
    const step = (2 * Math.PI * 620 * FRAME) / 8000;
    for (let round = 0; round < 60; round++) {
      const payload = new Uint8Array(FRAME);
      law.encode(sine(620, FRAME, TONE, round * step), payload, 0);
      wide.bench.run(1, () => wide.say(440));
      narrow.run(1, () => narrow.receive(payload));
    }
    const heard = new Int16Array(50 * FRAME);
    narrow.sent.slice(10).forEach(({ payload }, i) => law.decode(payload, 0, FRAME, heard.subarray(i * FRAME), 0));
    expect(amplitudeAt(heard, 440)).toBeGreaterThan(0.97 * TONE);
    expect(amplitudeAt(heard, 620)).toBeLessThan(100);
    expect(wide.amplitudeAt(wide.sent(10), 620)).toBeGreaterThan(0.97 * TONE);
    expect(wide.amplitudeAt(wide.sent(10), 440)).toBeLessThan(100);
  });

  test('a session changes its codec, rate and clock in mid-call, and forgets nothing that it has counted', () => {
    const line = new WideLine(WIDE);
    line.hears(1000, 50);
    const { bench } = line;
    const law = createCodec('PCMA');
    const payload = new Uint8Array(FRAME);
    law.encode(sine(1000, FRAME), payload, 0);
    bench.session.setRemote({ ...REMOTE, codec: 'PCMA', payloadType: 8 }, bench.nowMs);
    bench.run(50, () => bench.receive(payload, { payloadType: 8 }));
    expect(amplitudeAt(bench.session.pcm, 1000)).toBeGreaterThan(0.95 * TONE);
    bench.session.setRemote(line.remote, bench.nowMs);
    expect(amplitudeAt(line.hears(1000, 50).subarray(10 * FRAME), 1000)).toBeGreaterThan(0.95 * TONE);
    expect(bench.session.close(bench.nowMs).framesHeard).toBeGreaterThan(140);
  });

  test('static payload types are understood beside a codec of their clock, and of no other', () => {
    const payload = new Uint8Array(FRAME);
    createCodec('PCMU').encode(sine(1000, FRAME), payload, 0);
    for (const [codec, heard] of [
      [WIDE_OF_NARROW_CLOCK, true],
      [WIDE, false],
    ] as const) {
      const { bench } = new WideLine(codec);
      bench.run(20, () => bench.receive(payload, { payloadType: 0 }));
      expect(bench.pcmReceived).toBe(heard);
      expect(amplitudeAt(bench.session.pcm, 1000) > 0.95 * TONE).toBe(heard);
      expect(bench.session.close(bench.nowMs).packetsReceived).toBe(20);
    }
  });
});

describe('a codec at the rate of the graph', () => {
  test('is what it is, whatever its clock', () => {
    for (const clockRateHz of [8_000, 48_000]) {
      const codec = new LinearCodec({ sampleRateHz: 8_000, clockRateHz });
      expect(atGraphRate(codec)).toBe(codec);
    }
  });

  test('is heard and sent beside a faster clock', () => {
    const line = new WideLine({ sampleRateHz: 8_000, clockRateHz: 48_000 });
    line.bench.nowMs = 7.3;
    expect(amplitudeAt(line.hears(1000, 60).subarray(10 * FRAME), 1000)).toBeGreaterThan(0.97 * TONE);
    const [first, second] = line.audio as [RtpPacket, RtpPacket];
    expect((second.timestamp - first.timestamp) >>> 0).toBe(960);
  });

  test('a rate that is no multiple of the graph’s is refused', () => {
    const odd = new LinearCodec({ sampleRateHz: 44_100, clockRateHz: 44_100 });
    expect(() => atGraphRate(odd)).toThrow(RangeError);
  });
});
