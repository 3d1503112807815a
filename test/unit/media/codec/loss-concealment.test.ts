import { LossConcealment } from '../../../../media/codec/loss-concealment';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const RATE_HZ = 8000;
const FRAME = 160;

/** Plays a tone and leaves out the frames named. */
function play(tone: Int16Array, lost: (frame: number) => boolean): Int16Array {
  const concealment = new LossConcealment(RATE_HZ);
  const out = tone.slice();
  for (let frame = 0; frame * FRAME < tone.length; frame++) {
    const from = frame * FRAME;
    if (lost(frame)) concealment.conceal(out, from, from + FRAME);
    else concealment.good(out, from, from + FRAME);
  }
  return out;
}

describe('LossConcealment', () => {
  it('leaves a stream without losses as it is', () => {
    const tone = sine(300, 10 * FRAME);
    expect(play(tone, () => false)).toEqual(tone);
  });

  it('carries a tone over one lost frame at nearly its level', () => {
    const out = play(sine(200, 10 * FRAME), (frame) => frame === 6);
    const concealed = out.subarray(6 * FRAME, 7 * FRAME);
    expect(amplitudeAt(concealed, 200)).toBeGreaterThan(0.75 * 8000);
  });

  it('carries it over at another rate too, as long', () => {
    // Twice the rate: half the frequency for `sine`, which counts in 8 kHz, and twice the samples.
    const frame = 2 * FRAME;
    const concealment = new LossConcealment(2 * RATE_HZ);
    const tone = sine(100, 10 * frame);
    concealment.good(tone, 0, 6 * frame);
    const gap = new Int16Array(4 * frame);
    for (let at = 0; at < gap.length; at += frame) concealment.conceal(gap, at, at + frame);
    expect(amplitudeAt(gap.subarray(0, frame), 100)).toBeGreaterThan(0.75 * 8000);
    expect(rms(gap.subarray(2 * frame, 3 * frame))).toBeGreaterThan(500);
    expect(rms(gap.subarray(3 * frame))).toBe(0);
  });

  it('makes no jump larger than the tone has where a gap begins and ends', () => {
    const tone = sine(200, 10 * FRAME);
    const out = play(tone, (frame) => frame === 6);
    const steepest = Math.max(...tone.subarray(1).map((sample, i) => Math.abs(sample - (tone[i] as number))));
    for (let i = 6 * FRAME - 1; i < 8 * FRAME; i++) {
      expect(Math.abs((out[i + 1] as number) - (out[i] as number))).toBeLessThan(2 * steepest + 400);
    }
  });

  it('fades over a long gap and is silent after 60 ms', () => {
    const out = play(sine(200, 12 * FRAME), (frame) => frame >= 5 && frame < 10);
    const levels = [5, 6, 7, 8, 9].map((frame) => rms(out.subarray(frame * FRAME, (frame + 1) * FRAME)));
    expect(levels[1]).toBeLessThan(levels[0] as number);
    expect(levels[2]).toBeLessThan(levels[1] as number);
    expect(levels[3]).toBe(0);
    expect(levels[4]).toBe(0);
  });

  it('is silent before anything was heard and after a reset', () => {
    const concealment = new LossConcealment(RATE_HZ);
    const out = new Int16Array(FRAME).fill(99);
    concealment.conceal(out, 0, FRAME);
    expect(rms(out)).toBe(0);
    const tone = sine(300, 4 * FRAME);
    concealment.good(tone, 0, tone.length);
    concealment.reset();
    concealment.conceal(out, 0, FRAME);
    expect(rms(out)).toBe(0);
  });
});
