/**
 * Doubling and halving the sample rate of a recording that is there as a whole: voices come at 16 kHz, recognisers want it,
 * the line has 8 kHz.
 */
import { Decimator } from './decimator';
import { Interpolator } from './interpolator';
import { lowPass, REACH_SAMPLES } from './low-pass';
import { toSamples } from './samples';

const KERNEL = lowPass(2);
/** How late the filter is, at the higher rate. */
const CENTRE = (KERNEL.length - 1) / 2;

/** 16 kHz → 8 kHz (or any rate → half of it). The output has `ceil(n / 2)` samples, aligned with the input. */
export function halveRate(pcm: Int16Array): Int16Array {
  const length = Math.ceil(pcm.length / 2);
  const padded = new Int16Array(2 * (length + REACH_SAMPLES));
  padded.set(pcm);
  const filtered = new Float32Array(length + REACH_SAMPLES);
  new Decimator(KERNEL, 2, padded.length).push(padded, 0, padded.length, filtered);
  const output = new Int16Array(length);
  toSamples(filtered.subarray(REACH_SAMPLES), output, 0, length);
  return output;
}

/** 8 kHz → 16 kHz (or any rate → twice it), as floats in −1..1 like recognisers take them. */
export function doubleRate(pcm: Int16Array): Float32Array {
  const padded = new Int16Array(pcm.length + REACH_SAMPLES);
  padded.set(pcm);
  const filtered = new Float32Array(2 * padded.length);
  new Interpolator(KERNEL, 2, padded.length).push(padded, filtered);
  return filtered.subarray(CENTRE, CENTRE + 2 * pcm.length).map((sample) => sample / 32768);
}
