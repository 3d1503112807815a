/**
 * Doubling and halving the sample rate with one linear-phase low-pass: a windowed sinc (Kaiser, beta 8) of 95 taps at
 * the higher rate, flat to 3.6 kHz and below −70 dB from 4.2 kHz when that rate is 16 kHz. Telephony speech needs both
 * ways: voices come at 16 kHz, recognisers want it, the line has 8 kHz.
 */
const TAPS = 95;
const CENTRE = (TAPS - 1) / 2;
/** Cut-off as a fraction of the higher rate; just under its quarter, so that little folds back. */
const CUT_OFF = 0.244;
const KAISER_BETA = 8;

const KERNEL = lowPassKernel();
/** Zero-stuffing leaves every second tap to multiply: these for even places of the output, those for odd ones. */
const EVEN_TAPS = KERNEL.filter((_, k) => k % 2 === 1);
const ODD_TAPS = KERNEL.filter((_, k) => k % 2 === 0);
const REACH = (CENTRE - 1) / 2;

/** 16 kHz → 8 kHz (or any rate → half of it). The output has `ceil(n / 2)` samples, aligned with the input. */
export function halveRate(pcm: Int16Array): Int16Array {
  const output = new Int16Array(Math.ceil(pcm.length / 2));
  for (let i = 0; i < output.length; i++) {
    const centre = 2 * i;
    const from = Math.max(0, CENTRE - centre);
    const to = Math.min(TAPS, pcm.length + CENTRE - centre);
    let sum = 0;
    for (let k = from; k < to; k++) sum += KERNEL[k]! * pcm[centre + k - CENTRE]!;
    output[i] = clampSample(sum);
  }
  return output;
}

/** 8 kHz → 16 kHz (or any rate → twice it), as floats in −1..1 like recognisers take them. */
export function doubleRate(pcm: Int16Array): Float32Array {
  const output = new Float32Array(pcm.length * 2);
  // Silence at both ends, as far as the filter reaches: what is asked for each tap costs as much as the tap.
  const source = new Float64Array(pcm.length + ODD_TAPS.length);
  source.set(pcm, REACH);
  for (let n = 0; n < pcm.length; n++) {
    let even = 0;
    let odd = 0;
    for (let k = 0; k < EVEN_TAPS.length; k++) {
      const sample = source[n + k]!;
      even += EVEN_TAPS[k]! * sample;
      odd += ODD_TAPS[k]! * sample;
    }
    odd += ODD_TAPS.at(-1)! * source[n + EVEN_TAPS.length]!;
    output[2 * n] = (2 * even) / 32768;
    output[2 * n + 1] = (2 * odd) / 32768;
  }
  return output;
}

function lowPassKernel(): Float64Array {
  const kernel = new Float64Array(TAPS);
  let sum = 0;
  for (let i = 0; i < TAPS; i++) {
    const t = i - CENTRE;
    const sinc = t === 0 ? 2 * CUT_OFF : Math.sin(2 * Math.PI * CUT_OFF * t) / (Math.PI * t);
    const window = besselI0(KAISER_BETA * Math.sqrt(1 - (t / CENTRE) ** 2)) / besselI0(KAISER_BETA);
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

function clampSample(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}
