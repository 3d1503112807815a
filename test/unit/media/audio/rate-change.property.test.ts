import fc from 'fast-check';
import { Decimator } from '../../../../media/audio/decimator';
import { Interpolator } from '../../../../media/audio/interpolator';
import { lowPass, REACH_SAMPLES } from '../../../../media/audio/low-pass';
import { toSamples } from '../../../../media/audio/samples';

const LOW_RATE_HZ = 8000;
const FRAME = 160;
const FRAMES = 6;
const LEVEL = 8000;

const factors = fc.integer({ min: 2, max: 6 });
const phases = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });

function tone(rateHz: number, hz: number, phase: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => Math.round(toneAt(rateHz, hz, phase, i)));
}

function toneAt(rateHz: number, hz: number, phase: number, at: number): number {
  return LEVEL * Math.sin(phase + (2 * Math.PI * hz * at) / rateHz);
}

/** In frames of 20 ms, each in parts that end at `cuts` (shares of the frame). */
function lowered(pcm: Int16Array, factor: number, cuts: readonly number[] = []): Float32Array {
  const wide = factor * FRAME;
  const decimator = new Decimator(lowPass(factor), factor, wide);
  const out = new Float32Array(pcm.length / factor);
  const ends = [...cuts.map((share) => Math.floor(share * wide)), wide].toSorted((a, b) => a - b);
  for (let at = 0; at < pcm.length; at += wide) {
    const frame = pcm.subarray(at, at + wide);
    const lowFrame = out.subarray(at / factor, (at + wide) / factor);
    let from = 0;
    for (const to of ends) {
      decimator.push(frame, from, to, lowFrame);
      from = to;
    }
  }
  return out;
}

function raised(pcm: Int16Array, factor: number, block = FRAME): Float32Array {
  const interpolator = new Interpolator(lowPass(factor), factor, block);
  const out = new Float32Array(pcm.length * factor);
  for (let at = 0; at < pcm.length; at += block) {
    interpolator.push(pcm.subarray(at, at + block), out.subarray(at * factor, (at + block) * factor));
  }
  return out;
}

/** The farthest that any sample is from `expected`, once the filter is full. */
function farthest(values: Float32Array, from: number, expected: (i: number) => number): number {
  let most = 0;
  for (let i = from; i < values.length; i++) most = Math.max(most, Math.abs(values[i]! - expected(i)));
  return most;
}

describe('a change of rate by a whole factor, frame by frame', () => {
  it('down: the tone, of one piece over all frames, at its level and no later than the filter reaches', () => {
    fc.assert(
      fc.property(factors, fc.integer({ min: 50, max: 3500 }), phases, (factor, hz, phase) => {
        const low = lowered(tone(factor * LOW_RATE_HZ, hz, phase, FRAMES * factor * FRAME), factor);
        const late = (i: number): number => toneAt(LOW_RATE_HZ, hz, phase, i - REACH_SAMPLES);
        expect(low).toHaveLength(FRAMES * FRAME);
        expect(farthest(low, 2 * REACH_SAMPLES, late)).toBeLessThan(LEVEL / 500);
      }),
    );
  });

  it('down: nothing of what the lower rate cannot hold', () => {
    const tones = factors.chain((factor) =>
      fc.record({ factor: fc.constant(factor), hz: fc.integer({ min: 4350, max: (factor * LOW_RATE_HZ) / 2 }) }),
    );
    fc.assert(
      fc.property(tones, phases, ({ factor, hz }, phase) => {
        const low = lowered(tone(factor * LOW_RATE_HZ, hz, phase, FRAMES * factor * FRAME), factor);
        expect(farthest(low, 2 * REACH_SAMPLES, () => 0)).toBeLessThan(LEVEL / 1000);
      }),
    );
  });

  it('up: the tone and no image of it, of one piece over all frames', () => {
    fc.assert(
      fc.property(factors, fc.integer({ min: 50, max: 3500 }), phases, (factor, hz, phase) => {
        const wide = raised(tone(LOW_RATE_HZ, hz, phase, FRAMES * FRAME), factor);
        const late = (i: number): number => toneAt(factor * LOW_RATE_HZ, hz, phase, i - (REACH_SAMPLES * factor - 1));
        expect(wide).toHaveLength(FRAMES * FRAME * factor);
        expect(farthest(wide, 2 * REACH_SAMPLES * factor, late)).toBeLessThan(LEVEL / 500);
      }),
    );
  });

  it('gives the same in whatever parts the stream comes', () => {
    const pcm = fc.int16Array({ minLength: 4 * 6 * FRAME, maxLength: 4 * 6 * FRAME });
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
    fc.assert(
      fc.property(factors, pcm, cuts, (factor, samples, parts) => {
        const stream = samples.subarray(0, 4 * factor * FRAME);
        expect(lowered(stream, factor, parts)).toEqual(lowered(stream, factor));
        expect(raised(stream, factor, FRAME / 2)).toEqual(raised(stream, factor));
      }),
      { numRuns: 20 },
    );
  });

  it('a constant keeps its level', () => {
    fc.assert(
      fc.property(factors, fc.integer({ min: -32_768, max: 32_767 }), (factor, level) => {
        const constant = new Int16Array(4 * factor * FRAME).fill(level);
        for (const values of [lowered(constant, factor), raised(constant, factor)]) {
          expect(Math.abs(values.at(-1)! - level)).toBeLessThanOrEqual(Math.abs(level) / 1000);
        }
      }),
    );
  });

  it('is rounded to samples, and cut where it is too loud', () => {
    const samples = new Int16Array(5).fill(7);
    toSamples(Float32Array.of(1, 40_000, -40_000, 0.6, 1), samples, 1, 4);
    expect([...samples]).toEqual([7, 32_767, -32_768, 1, 7]);
  });
});
