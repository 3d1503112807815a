/** Silence around synthesised speech: it delays the first word and the next sentence. */
import { GRAPH_RATE_HZ } from '../audio/frame';

const WINDOW_SAMPLES = 0.01 * GRAPH_RATE_HZ;
/** Voices differ in their background hiss, so silence is judged against the loudest stretch: −36 dB. */
const SILENCE_RATIO = 0.016;
const KEPT_BEFORE_SAMPLES = 0.03 * GRAPH_RATE_HZ;
const KEPT_AFTER_SAMPLES = 0.15 * GRAPH_RATE_HZ;

/** Cuts speech to 30 ms before its first and 150 ms after its last audible 10 ms. */
export function trimSpeech(pcm: Int16Array): Int16Array {
  const levels: number[] = [];
  for (let at = 0; at < pcm.length; at += WINDOW_SAMPLES) levels.push(level(pcm.subarray(at, at + WINDOW_SAMPLES)));
  const threshold = SILENCE_RATIO * Math.max(0, ...levels);
  const first = levels.findIndex((value) => value > threshold);
  if (first < 0) return pcm.slice(0, KEPT_BEFORE_SAMPLES);
  const last = levels.findLastIndex((value) => value > threshold);
  return pcm.slice(
    Math.max(0, first * WINDOW_SAMPLES - KEPT_BEFORE_SAMPLES),
    (last + 1) * WINDOW_SAMPLES + KEPT_AFTER_SAMPLES,
  );
}

function level(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / pcm.length);
}
