/** Test signals at 8 kHz, and finding them again. */
const SAMPLE_RATE_HZ = 8000;

export function sine(frequencyHz: number, samples: number, amplitude = 8000, phase = 0): Int16Array {
  const pcm = new Int16Array(samples);
  for (let i = 0; i < samples; i++) {
    pcm[i] = Math.round(amplitude * Math.sin(phase + (2 * Math.PI * frequencyHz * i) / SAMPLE_RATE_HZ));
  }
  return pcm;
}

/** Amplitude of one frequency in `pcm` (Goertzel). */
export function amplitudeAt(pcm: Int16Array, frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ);
  let s1 = 0;
  let s2 = 0;
  for (const sample of pcm) {
    const s0 = sample + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  return (2 * Math.sqrt(Math.max(0, s1 * s1 + s2 * s2 - coefficient * s1 * s2))) / Math.max(1, pcm.length);
}

/** Root mean square. */
export function rms(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, pcm.length));
}
