import type { AudioCodec } from '../../../../contract/audio-codecs';
import { GraphBench } from '../../../fakes/media/rtp/graph-bench';
import type { Leg } from '../../../fakes/media/rtp/graph-bench';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const LOUD = 6000;
const SECOND = 50;

function pair(one: AudioCodec = 'PCMU', two: AudioCodec = 'PCMU'): { bench: GraphBench; a: Leg; b: Leg } {
  const bench = new GraphBench();
  const a = bench.add({ codec: one });
  const b = bench.add({ codec: two });
  a.saysTone(440);
  b.saysTone(620);
  bench.run(10);
  return { bench, a, b };
}

describe('connected sessions', () => {
  test.each([
    ['PCMU', 'PCMU'],
    ['PCMU', 'PCMA'],
    ['PCMA', 'PCMU'],
  ] as const)('hear each other and not themselves, %s with %s', (one, two) => {
    const { bench, a, b } = pair(one, two);
    bench.graph.connect(1, 2);
    bench.run(SECOND);
    expect(amplitudeAt(b.heard(10), 440)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(a.heard(10), 620)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(a.heard(10), 440)).toBeLessThan(100);
    expect(amplitudeAt(b.heard(10), 620)).toBeLessThan(100);
  });

  it('heard nothing of each other before, and hear nothing after they are parted', () => {
    const { bench, a, b } = pair();
    expect([rms(a.heard()), rms(b.heard())]).toEqual([0, 0]);
    bench.graph.connect(1, 2);
    bench.run(SECOND);
    bench.graph.disconnect(2);
    const sent = a.bench.rtp.length;
    bench.run(SECOND);
    expect([rms(a.heard(sent)), rms(b.heard(sent))]).toEqual([0, 0]);
    expect(a.bench.rtp).toHaveLength(sent + SECOND);
  });

  it('keep one stream each over it all: one SSRC, numbers and timestamps without a gap', () => {
    const { bench, a } = pair();
    bench.graph.connect(1, 2);
    bench.run(5);
    bench.graph.disconnect(1);
    bench.run(5);
    const { sent } = a.bench;
    sent.slice(1).forEach((packet, i) => {
      expect(packet.ssrc).toBe(sent[0]?.ssrc);
      expect(packet.sequenceNumber).toBe((sent[i]!.sequenceNumber + 1) & 0xffff);
      expect(packet.timestamp).toBe((sent[i]!.timestamp + 160) >>> 0);
    });
  });

  it('send each frame of the other as soon as they are served, and none twice', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    bench.run(1);
    for (let round = 0; round < 20; round++) {
      const waiting = b.bench.session.pcm.slice();
      a.tick(0);
      expect(a.bench.sentPcm).toEqual(waiting);
      b.tick(0);
      expect(b.bench.sentPcm).toEqual(a.bench.session.pcm);
    }
  });

  it('send what the other has said without a wait where they are served at once', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    for (let round = 0; round < 20; round++) {
      for (const leg of bench.legs) leg.speak();
      bench.runTogether(1);
      expect(a.bench.sentPcm).toEqual(b.bench.session.pcm);
      expect(b.bench.sentPcm).toEqual(a.bench.session.pcm);
      expect(rms(a.bench.sentPcm!)).toBeGreaterThan(4000);
    }
  });

  it('send no frame twice where a stall has changed who is served first', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    bench.run(2);
    // B has sent A's last frame, and its turn comes again before A's.
    b.tick(0);
    expect(b.bench.sentPcm).toEqual(new Int16Array(160));
    a.tick(0);
    b.tick(0);
    expect(b.bench.sentPcm).toEqual(a.bench.session.pcm);
    expect(rms(b.bench.sentPcm!)).toBeGreaterThan(4000);
  });

  it('go on after a stall without drifting apart', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    bench.run(SECOND);
    for (const leg of bench.legs) leg.tick(30);
    for (const leg of bench.legs) leg.bench.nowMs += 600;
    bench.run(SECOND);
    const sent = a.bench.rtp.length;
    bench.run(SECOND);
    expect(amplitudeAt(a.heard(sent), 620)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(b.heard(sent), 440)).toBeGreaterThan(LOUD);
  });

  it('have one partner each: a third takes the place of the second, who is alone then', () => {
    const { bench, a, b } = pair();
    const c = bench.add();
    c.saysTone(1000);
    bench.graph.connect(1, 2);
    bench.run(10);
    bench.graph.connect(3, 1);
    const sent = [a, b, c].map((leg) => leg.bench.rtp.length);
    bench.run(SECOND);
    expect(amplitudeAt(a.heard(sent[0]), 1000)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(a.heard(sent[0]), 620)).toBeLessThan(100);
    expect(amplitudeAt(c.heard(sent[2]), 440)).toBeGreaterThan(LOUD);
    expect(rms(b.heard(sent[1]))).toBe(0);
  });

  test.each([0, 1])('are parted when leg %i closes', (closing) => {
    const { bench } = pair();
    bench.graph.connect(1, 2);
    bench.run(10);
    const left = bench.legs[1 - closing]!;
    bench.close(bench.legs[closing]!);
    const sent = left.bench.rtp.length;
    bench.run(SECOND);
    expect(rms(left.heard(sent))).toBe(0);
    expect(left.bench.rtp).toHaveLength(sent + SECOND);
    bench.graph.connect(1, 2);
    bench.run(1);
    expect(rms(left.heard(sent))).toBe(0);
  });

  it('are not one and the same', () => {
    const { bench } = pair();
    expect(() => bench.graph.connect(1, 1)).toThrow(RangeError);
  });

  it('send nothing to a peer that holds us, and what is said then afterwards', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    bench.run(10);
    a.bench.session.setRemote({ ...a.remote, send: false }, a.bench.nowMs);
    const sent = a.bench.rtp.length;
    bench.run(10);
    expect(a.bench.rtp).toHaveLength(sent);
    expect(amplitudeAt(b.heard(b.bench.rtp.length - 10), 440)).toBeGreaterThan(LOUD);
    a.bench.session.setRemote(a.remote, a.bench.nowMs);
    b.saysTone(1000);
    bench.run(10);
    bench.run(10);
    expect(amplitudeAt(a.heard(sent + 10), 1000)).toBeGreaterThan(LOUD);
  });

  it('a peer that suppresses silence is not given up while the other speaks to it', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    a.saysTone(null);
    bench.run(40 * SECOND);
    expect(a.bench.events).not.toContain('timeout');
    b.says = () => new Int16Array(160);
    bench.run(31 * SECOND);
    expect(a.bench.events).toContain('timeout');
  });
});

describe('what the agent plays', () => {
  it('is mixed with what the other peer says, and counted as always', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    const sent = a.bench.rtp.length;
    a.bench.session.sources.queue.play(1, sine(1000, 160 * SECOND), true);
    bench.run(SECOND);
    expect(amplitudeAt(a.heard(sent), 1000)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(a.heard(sent), 620)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(b.heard(sent), 1000)).toBeLessThan(100);
    expect(a.bench.events).toContain('finished 1');
    expect(a.bench.session.sources.queue.played(1)).toBe(160 * SECOND);
  });

  it('and what is said, both as loud as can be, stay below the largest sample and are both heard', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    b.saysTone(620, 32_000);
    bench.run(10);
    const loudest: number[] = [];
    a.bench.session.sources.queue.play(1, sine(1000, 160 * SECOND, 32_000), true);
    const sent = a.bench.rtp.length;
    bench.run(SECOND, () => loudest.push(...(a.bench.sentPcm ?? []).map(Math.abs)));
    expect(Math.max(...loudest)).toBeLessThan(32_767);
    expect(amplitudeAt(a.heard(sent), 1000)).toBeGreaterThan(12_000);
    expect(amplitudeAt(a.heard(sent), 620)).toBeGreaterThan(12_000);
  });

  it('and the keys it presses go out of a connection as they always do', () => {
    const { bench, a } = pair();
    bench.graph.connect(1, 2);
    const told: boolean[] = [];
    a.bench.session.keys.press('42', (sent) => told.push(sent));
    bench.run(30);
    expect(a.keys).toEqual([4, 2]);
    expect(told).toEqual([true]);
  });
});

describe('a key that one peer presses', () => {
  it('is pressed once for the other, told, and not heard by who pressed it', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    a.press(5);
    bench.run(20);
    expect(b.keys).toEqual([5]);
    expect(a.keys).toEqual([]);
    expect(a.bench.events).toContain('dtmf 5 100');
    b.press(11);
    b.bench.run(0);
    bench.run(20);
    expect(a.keys).toEqual([11]);
  });

  it('keeps the other’s words only as long as it is down', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    bench.run(10);
    a.press(5);
    const sent = b.bench.rtp.length;
    bench.run(30);
    const types = b.bench.sent.slice(sent).map(({ payloadType }) => payloadType);
    expect(types.filter((type) => type === 101)).toHaveLength(8);
    expect(amplitudeAt(b.heard(sent), 440)).toBeGreaterThan(LOUD);
  });

  it('is not pressed where the peer takes none, nor later where it holds us', () => {
    const bench = new GraphBench();
    const a = bench.add();
    const deaf = bench.add({ telephoneEventPayloadType: null });
    bench.graph.connect(1, 2);
    a.press(5);
    bench.run(20);
    expect(deaf.bench.sent.every(({ payloadType }) => payloadType === 0)).toBe(true);
    expect(deaf.bench.session.keys.busy).toBe(false);
    const holding = bench.add({ send: false });
    bench.graph.connect(1, 3);
    a.press(6);
    holding.bench.session.setRemote({ ...holding.remote, send: true }, holding.bench.nowMs);
    bench.run(20);
    expect(holding.keys).toEqual([]);
  });

  it('is not pressed any more when they are parted; the one that is down goes up', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    for (const [i, event] of [1, 2, 3].entries()) {
      b.bench.receive(new Uint8Array(0));
      a.bench.receive(Uint8Array.of(event, 0x8a, 3, 0x20), { payloadType: 101, timestamp: 10_000 * (i + 1) });
    }
    bench.run(2);
    bench.graph.disconnect(1);
    bench.run(40);
    expect(b.keys).toEqual([1]);
    const events = b.bench.sent.filter(({ payloadType }) => payloadType === 101);
    expect(events.at(-1)!.payload[1]! & 0x80).toBe(0x80);
  });

  it('comes to 32 waiting ones at most', () => {
    const { bench, a, b } = pair();
    bench.graph.connect(1, 2);
    for (let i = 0; i < 100; i++) {
      a.bench.receive(Uint8Array.of(i % 10, 0x8a, 3, 0x20), { payloadType: 101, timestamp: 10_000 * (i + 1) });
    }
    bench.run(100 * 12);
    expect(b.keys).toHaveLength(32);
  });
});

describe('a background', () => {
  it('rings as in Europe, one second of 425 Hz in five', () => {
    const { bench, a } = pair();
    bench.graph.setBackground(1, 'ringback');
    const sent = a.bench.rtp.length;
    bench.run(10 * SECOND);
    const heard = a.heard(sent);
    const second = (n: number): Int16Array => heard.subarray(n * 8000, (n + 1) * 8000);
    for (const n of [0, 5]) expect(amplitudeAt(second(n), 425)).toBeGreaterThan(5000);
    for (const n of [1, 2, 3, 4, 6, 7, 8, 9]) expect(rms(second(n))).toBe(0);
  });

  it('plays music that never stops, below the level of a voice, also for a peer that we hold', () => {
    const { bench, a } = pair();
    a.bench.session.setRemote({ ...a.remote, receive: false }, a.bench.nowMs);
    bench.graph.setBackground(1, 'music');
    const sent = a.bench.rtp.length;
    bench.run(60 * SECOND);
    const heard = a.heard(sent);
    for (let at = 0; at < heard.length; at += 8000) {
      const level = rms(heard.subarray(at, at + 8000));
      expect(level).toBeGreaterThan(300);
      expect(level).toBeLessThan(4000);
    }
    expect(a.bench.events).not.toContain('timeout');
  });

  it('waits while the agent speaks and goes on after it', () => {
    const { bench, a } = pair();
    bench.graph.setBackground(1, 'ringback');
    a.bench.session.sources.queue.play(1, sine(1000, 160 * 20), true);
    const sent = a.bench.rtp.length;
    bench.run(40);
    expect(amplitudeAt(a.heard(sent).subarray(0, 3200), 425)).toBeLessThan(100);
    expect(amplitudeAt(a.heard(sent).subarray(3200), 425)).toBeGreaterThan(5000);
  });

  it('is heard in the place of what the agent plays, which waits, and goes on without it afterwards', () => {
    const { bench, a } = pair();
    const seconds = 2;
    a.bench.session.sources.queue.play(1, sine(1000, 8000 * seconds), true);
    bench.run(SECOND);
    bench.graph.pause(1, true);
    bench.graph.setBackground(1, 'ringback');
    const paused = a.bench.rtp.length;
    bench.run(SECOND / 2);
    expect(amplitudeAt(a.heard(paused), 1000)).toBeLessThan(100);
    expect(amplitudeAt(a.heard(paused), 425)).toBeGreaterThan(5000);
    expect(bench.changes.at(-2)).toContain('source: agent (waits), tap');
    bench.graph.pause(1, false);
    bench.graph.setBackground(1, null);
    const resumed = a.bench.rtp.length;
    bench.run((seconds - 1) * SECOND);
    expect(amplitudeAt(a.heard(resumed), 1000)).toBeGreaterThan(LOUD);
    expect(a.bench.session.sources.queue.played(1)).toBe(8000 * seconds);
  });

  it('is heard until the other peer sends, not in its pauses, and again when they are parted', () => {
    const bench = new GraphBench();
    const a = bench.add();
    const b = bench.add();
    bench.graph.setBackground(1, 'music');
    bench.graph.connect(1, 2);
    bench.run(20);
    expect(rms(a.heard(10))).toBeGreaterThan(300);
    b.says = () => new Int16Array(160);
    bench.run(10);
    const sent = a.bench.rtp.length;
    bench.run(10);
    b.saysTone(null);
    bench.run(20);
    expect(rms(a.heard(sent))).toBeLessThan(10);
    bench.graph.disconnect(1);
    bench.run(10);
    expect(rms(a.heard(sent + 30))).toBeGreaterThan(300);
  });

  it('ends when it is taken away, and begins anew', () => {
    const { bench, a } = pair();
    bench.graph.setBackground(1, 'ringback');
    bench.run(10);
    bench.graph.setBackground(1, null);
    const sent = a.bench.rtp.length;
    bench.run(10);
    expect(rms(a.heard(sent))).toBe(0);
    bench.graph.setBackground(1, 'ringback');
    bench.run(10);
    expect(amplitudeAt(a.heard(sent + 10), 425)).toBeGreaterThan(5000);
  });
});

describe('the ear', () => {
  it('hears nothing while it is switched off', () => {
    const { bench, a } = pair();
    bench.graph.listen(1, false);
    a.bench.sentPcm = null;
    a.bench.pcmReceived = false;
    bench.run(5);
    expect(a.bench.sentPcm).toBeNull();
    expect(a.bench.pcmReceived).toBe(false);
    bench.graph.listen(1, true);
    bench.run(1);
    expect(a.bench.pcmReceived).toBe(true);
  });
});

it('the graph tells in words what was changed, and only what was', () => {
  const { bench } = pair();
  bench.graph.connect(1, 2);
  bench.graph.connect(2, 1);
  bench.graph.listen(1, true);
  bench.graph.listen(1, false);
  bench.graph.setBackground(2, 'music');
  bench.graph.disconnect(1);
  bench.graph.disconnect(1);
  expect(bench.changes).toEqual([
    'session 1 ⇄ session 2; 1: source: agent, session 2, tap: ear, session 2; 2: source: agent, session 1, tap: ear, session 1',
    'session 1 ⇄ session 2; 1: source: agent, session 2, tap: session 2; 2: source: agent, session 1, tap: ear, session 1',
    'session 2 ⇄ session 1; 2: source: agent, session 1, music, tap: ear, session 1; 1: source: agent, session 2, tap: session 2',
    'session 1; 1: source: agent, tap: none',
    'session 2; 2: source: agent, music, tap: ear',
  ]);
});
