/**
 * The low-pass between a rate and a whole multiple of it, both ways: a linear-phase windowed sinc (Kaiser, beta 8) at the
 * higher rate. With 8 kHz as the lower rate it is flat to 3.5 kHz (−0.01 dB) and below −80 dB from 4.35 kHz: what folds back lies
 * above the band of a telephone.
 */
/** Of the filter, on either side of its middle, at the lower rate. */
export const REACH_SAMPLES = 24;
/** Cut-off as a fraction of the lower rate; just under half of it, so that little folds back. */
const CUT_OFF = 0.488;
const KAISER_BETA = 8;

/** `2 * REACH_SAMPLES * factor - 1` taps; a constant signal keeps its level. */
export function lowPass(factor: number): Float64Array {
  const kernel = new Float64Array(2 * REACH_SAMPLES * factor - 1);
  const centre = (kernel.length - 1) / 2;
  const cutOff = CUT_OFF / factor;
  let sum = 0;
  for (let i = 0; i < kernel.length; i++) {
    const t = i - centre;
    const sinc = t === 0 ? 2 * cutOff : Math.sin(2 * Math.PI * cutOff * t) / (Math.PI * t);
    const window = besselI0(KAISER_BETA * Math.sqrt(1 - (t / centre) ** 2)) / besselI0(KAISER_BETA);
    kernel[i] = sinc * window;
    sum += kernel[i]!;
  }
  return kernel.map((tap) => tap / sum);
}

/** Modified Bessel function of order zero, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
