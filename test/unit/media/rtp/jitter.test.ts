import { FRAME, seeded, simulate, toneStream } from '../../../fakes/media/rtp/playout-line';
import { amplitudeAt, rms } from '../../../support/tones';

const count = (flags: readonly boolean[], from = 0): number => flags.slice(from).filter(Boolean).length;

describe('jitter buffer and playout', () => {
  it('plays packets that come in order whole and gapless, at most 20 ms late', () => {
    const { pcm, received, outcomes, delays } = simulate(toneStream(50), 50);
    expect(outcomes).toEqual(new Map([['queued', 50]]));
    expect(count(received, 2)).toBe(48);
    expect(amplitudeAt(pcm.subarray(3 * FRAME, 48 * FRAME), 400)).toBeGreaterThan(7800);
    expect(Math.max(...delays)).toBeLessThanOrEqual(20);
  });

  it('puts reordered packets back into order', () => {
    // Every fourth packet is overtaken by its successor.
    const { pcm, received, outcomes } = simulate(toneStream(100, { delay: (i) => (i % 4 === 1 ? 25 : 0) }), 100);
    expect(outcomes.get('late') ?? 0).toBeLessThanOrEqual(2);
    expect(count(received, 20)).toBeGreaterThanOrEqual(79);
    expect(amplitudeAt(pcm.subarray(30 * FRAME, 98 * FRAME), 400)).toBeGreaterThan(7700);
  });

  it('conceals a lost packet and goes on in time', () => {
    const { received, frames } = simulate(toneStream(50, { delay: (i) => (i === 20 ? null : 0) }), 50);
    const missing = received.flatMap((flag, i) => (flag || i < 2 ? [] : [i]));
    expect(missing.length).toBeGreaterThanOrEqual(1);
    expect(missing.length).toBeLessThanOrEqual(2);
    const concealed = frames[missing[0] as number] as Int16Array;
    expect(rms(concealed)).toBeGreaterThan(3000);
    expect(received.slice(25)).not.toContain(false);
  });

  it('takes a duplicate once', () => {
    const stream = toneStream(30);
    const { outcomes, pcm } = simulate([...stream, ...stream.map((sent) => ({ ...sent, atMs: sent.atMs + 3 }))], 30);
    expect(outcomes.get('queued')).toBe(30);
    expect((outcomes.get('duplicate') ?? 0) + (outcomes.get('late') ?? 0)).toBe(30);
    expect(amplitudeAt(pcm.subarray(3 * FRAME, 28 * FRAME), 400)).toBeGreaterThan(7800);
  });

  it('drops a packet that comes after its time', () => {
    const { outcomes } = simulate(toneStream(50, { delay: (i) => (i === 20 ? 90 : 0) }), 60);
    expect(outcomes.get('late')).toBe(1);
    expect(outcomes.get('queued')).toBe(49);
  });

  it('plays over the wrap of the timestamp', () => {
    const { received } = simulate(toneStream(50, { firstTimestamp: 4294967296 - 10 * FRAME }), 50);
    expect(received.slice(2)).not.toContain(false);
  });

  test.each([80, 160, 240, 320, 480])('plays packets of %i samples whole', (samples) => {
    const packets = Math.floor(8000 / samples);
    const { pcm, received, outcomes } = simulate(toneStream(packets, { samples }), 48);
    expect(outcomes.get('late')).toBeUndefined();
    expect(count(received, 10)).toBeGreaterThanOrEqual(37);
    expect(amplitudeAt(pcm.subarray(15 * FRAME, 45 * FRAME), 400)).toBeGreaterThan(7700);
  });

  it('waits longer for a network with jitter, and shorter again when it calms down', () => {
    const random = seeded(7);
    const { delays, received, outcomes } = simulate(
      toneStream(1500, { delay: (i) => (i < 500 ? random() * 60 : random() * 2) }),
      1500,
    );
    expect(delays[499]).toBeGreaterThan(55);
    expect(delays[499]).toBeLessThanOrEqual(120);
    expect(outcomes.get('late') ?? 0).toBeLessThan(40);
    expect(count(received.slice(100, 500))).toBeGreaterThan(380);
    // A loud tone gives no quiet moment to shorten it further.
    expect(delays.at(-1)).toBeLessThanOrEqual(20 + 60);
    expect(received.slice(-100)).not.toContain(false);
  });

  it('comes back to a short delay after any jitter', () => {
    const random = seeded(3);
    const { delays } = simulate(toneStream(1000, { delay: (i) => (i < 500 ? random() * 400 : 0) }), 1000);
    expect(Math.max(...delays)).toBeLessThan(600);
    expect(Math.max(...delays.slice(560))).toBeLessThanOrEqual(120 + 60 + 20);
    expect(Math.max(...delays.slice(920))).toBeLessThanOrEqual(80);
  });

  test.each([
    ['faster', 0.999],
    ['slower', 1.001],
  ])('follows a sender whose clock is 1000 ppm %s for two minutes', (_, factor) => {
    const packets = Math.floor(120_000 / (20 * factor));
    const { delays, received } = simulate(toneStream(packets, { periodMs: 20 * factor }), 5_950);
    const settled = delays.slice(200);
    expect(Math.max(...settled)).toBeLessThanOrEqual(100);
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(0);
    // One frame is left out or filled in per 20 s of drift.
    expect(count(received)).toBeGreaterThan(5_950 - 60);
  });

  it('is silent while a sender suppresses silence and is on time when it speaks again', () => {
    const talk = toneStream(20);
    const again = toneStream(20, { firstTimestamp: 1000 + 120 * FRAME }).map((sent) => ({
      ...sent,
      atMs: sent.atMs + 2400,
    }));
    const { frames, received, outcomes } = simulate([...talk, ...again], 150);
    expect(outcomes).toEqual(new Map([['queued', 40]]));
    expect(rms(frames[60] as Int16Array)).toBe(0);
    expect(count(received.slice(119, 145))).toBeGreaterThanOrEqual(19);
  });

  it('finds its feet when a sender pauses without advancing its timestamps', () => {
    const before = toneStream(20);
    const after = toneStream(20, { firstTimestamp: 1000 + 20 * FRAME }).map((sent) => ({
      ...sent,
      atMs: sent.atMs + 1400,
    }));
    const { received, outcomes } = simulate([...before, ...after], 100);
    expect(outcomes.get('late') ?? 0).toBe(0);
    expect(count(received, 60)).toBeGreaterThanOrEqual(18);
  });

  it('anchors anew when the time line jumps', () => {
    const before = toneStream(20);
    const after = toneStream(30, { firstTimestamp: 900_000_000 }).map((sent) => ({ ...sent, atMs: sent.atMs + 400 }));
    const { received } = simulate([...before, ...after], 52);
    expect(count(received, 22)).toBeGreaterThanOrEqual(27);
  });

  it('anchors anew when the path becomes longer for good', () => {
    const { received, outcomes } = simulate(toneStream(200, { delay: (i) => (i < 50 ? 0 : 300) }), 210);
    expect(outcomes.get('late') ?? 0).toBeLessThanOrEqual(5);
    expect(received.slice(80, 200)).not.toContain(false);
  });

  it('bounds what a flood can make it keep', () => {
    const { outcomes } = simulate(
      Array.from({ length: 500 }, (_, i) => ({ atMs: 0, timestamp: 1000 + i, pcm: new Int16Array(80) })),
      1,
    );
    expect(outcomes.get('queued')).toBeLessThanOrEqual(64);
  });

  it('is silent before the first packet', () => {
    const { frames, received } = simulate([], 3);
    expect(received).toEqual([false, false, false]);
    expect(rms(frames[0] as Int16Array)).toBe(0);
  });
});
