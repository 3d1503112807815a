import { FRAME, seeded, simulate, toneStream } from '../../../fakes/media/rtp/playout-line';
import { rms } from '../../../support/tones';

/** Between the first packet and the frame after it. */
const UNTIL_FRAME_MS = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
/** Silence of a line before somebody speaks. */
const FAINT = 50;

const PHASES_MS = [1, 5, 9, 13, 17];

describe('the first packets of a stream', () => {
  test.each(UNTIL_FRAME_MS)('are heard with the next frame, %i ms after the first', (ms) => {
    const { frames, received: flags } = simulate(toneStream(20), 20, ms);
    expect(flags).not.toContain(false);
    expect(rms(frames[0] as Int16Array)).toBeGreaterThan(3_000);
  });

  test.each([1, 5, 9])('wait longer once nobody hears it, %i ms before a frame', (ms) => {
    const { delays, received: flags } = simulate(toneStream(50, { amplitude: () => FAINT }), 50, ms);
    expect(delays.slice(2)).toEqual(Array.from({ length: 48 }, () => ms + 20));
    expect(flags.slice(2)).not.toContain(false);
  });

  it('are waited for where one is late, and none of it is left out', () => {
    const {
      pcm,
      delays,
      outcomes,
      received: flags,
    } = simulate(toneStream(50, { delay: (i) => (i === 3 ? 8 : 0) }), 50);
    expect(outcomes).toEqual(new Map([['queued', 50]]));
    expect(flags.flatMap((flag, i) => (flag ? [] : [i]))).toEqual([3]);
    expect(delays.at(-1)).toBe(25);
    const whole = simulate(toneStream(50), 50).pcm;
    expect(pcm.subarray(6 * FRAME)).toEqual(whole.subarray(5 * FRAME, 49 * FRAME));
  });

  it('do not wait for one that is lost', () => {
    const { delays, received: flags } = simulate(toneStream(50, { delay: (i) => (i === 3 ? null : 0) }), 50);
    expect(flags.flatMap((flag, i) => (flag ? [] : [i]))).toEqual([3]);
    expect(delays.at(-1)).toBe(5);
  });

  it('of a stream that pauses at once are on time when it goes on', () => {
    const { received: flags } = simulate(toneStream(60, { delay: (i) => (i > 1 && i < 30 ? null : 0) }), 60);
    expect(flags.slice(32)).not.toContain(false);
  });
});

/** `deepMs`: what was filled in of these streams when all began at their target. */
describe.each([
  { jitter: 'up to 3 ms', of: (random: () => number) => random() * 3, deepMs: [28, 28], mostMs: 15 },
  { jitter: 'up to 10 ms', of: (random: () => number) => random() * 10, deepMs: [206, 206], mostMs: 12 },
  { jitter: 'up to 30 ms', of: (random: () => number) => random() * 30, deepMs: [804, 52], mostMs: 47 },
  { jitter: 'up to 60 ms', of: (random: () => number) => random() * 60, deepMs: [88, 88], mostMs: 74 },
  { jitter: 'mostly below 5 ms', of: exponential, deepMs: [373, 373], mostMs: 130 },
  { jitter: 'of 40 ms now and then', of: outliers, deepMs: [56, 56], mostMs: 35 },
])('ten seconds with jitter $jitter', ({ of, deepMs, mostMs }) => {
  it.each([
    ['from the first word', 0],
    ['from a moment of silence', 15],
  ])('lose less than those of a stream that waits from its beginning, %s', (_, speaksAt) => {
    let filledMs = 0;
    for (const ms of PHASES_MS) {
      const random = seeded(11);
      const stream = toneStream(500, { delay: () => of(random), amplitude: (i) => (i < speaksAt ? FAINT : 8_000) });
      filledMs += simulate(stream, 500, ms).filledMs / PHASES_MS.length;
    }
    expect(filledMs).toBeLessThanOrEqual(mostMs);
    expect(mostMs).toBeLessThan(Math.min(...deepMs));
  });
});

function exponential(random: () => number): number {
  return -5 * Math.log(1 - random());
}

function outliers(random: () => number): number {
  return random() < 0.01 ? 40 : random() * 2;
}
