/** Sounds with what matters of speech to an ear without a mind: harmonics of a moving pitch, syllables, hiss. */
import { seededRandom } from '../seeded-random';

const SAMPLE_RATE_HZ = 8000;

export interface VoiceLikeOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly pitchHz: number;
  /** Peak of the loudest syllables. */
  readonly amplitude?: number;
}

export function voiceLike({ seed, seconds, pitchHz, amplitude = 8000 }: VoiceLikeOptions): Int16Array {
  const random = seededRandom(seed);
  const pcm = new Int16Array(seconds * SAMPLE_RATE_HZ);
  const phases = Array.from({ length: 24 }, () => random() * 2 * Math.PI);
  let at = 0;
  let cycle = 0;
  while (at < pcm.length) {
    const syllable = Math.round((0.12 + 0.15 * random()) * SAMPLE_RATE_HZ);
    const pause = random() < 0.2 ? Math.round(0.1 * SAMPLE_RATE_HZ) : 0;
    const [from, to] = [pitchHz * (0.8 + 0.4 * random()), pitchHz * (0.8 + 0.4 * random())];
    const formants = [300 + 500 * random(), 900 + 1300 * random()];
    const loudness = amplitude * (0.4 + 0.6 * random());
    for (let i = 0; i < syllable && at < pcm.length; i++, at++) {
      const hz = from + ((to - from) * i) / syllable;
      cycle += hz / SAMPLE_RATE_HZ;
      let sum = 0.05 * (random() - 0.5);
      for (let k = 1; k * hz < 3400 && k <= phases.length; k++) {
        const gain = formants.reduce((total, formant) => total + 1 / (1 + ((k * hz - formant) / 120) ** 2), 0.02);
        sum += gain * Math.sin(2 * Math.PI * k * cycle + phases[k - 1]!);
      }
      pcm[at] = Math.round(loudness * Math.sin((Math.PI * i) / syllable) * (sum / 4));
    }
    at += pause;
  }
  return pcm;
}
