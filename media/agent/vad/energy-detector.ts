/**
 * Fallback where ONNX is not available: loudness above a noise floor that follows the line. Opens for any noise, so it
 * is named in logs and in /ready.
 */
import type { VoiceActivityDetector } from './voice-activity';
const WINDOW_SAMPLES = 256;
const SILENCE_DB = -65;
const MIN_SPEECH_DB = -45;
/** Above the noise floor by this much: surely speech; by nothing: surely not. */
const CERTAIN_DB = 18;
const FLOOR_RISE_DB_PER_WINDOW = 0.15;

export interface EnergyStream {
  floorDb: number;
}

export class EnergyDetector implements VoiceActivityDetector<EnergyStream> {
  readonly name = 'energy';
  readonly windowSamples = WINDOW_SAMPLES;

  open(): EnergyStream {
    return { floorDb: SILENCE_DB };
  }

  detect(streams: readonly EnergyStream[], pcm: Int16Array): Promise<Float32Array> {
    const probabilities = streams.map((stream, i) => {
      const levelDb = decibels(pcm.subarray(i * WINDOW_SAMPLES, (i + 1) * WINDOW_SAMPLES));
      const above = levelDb - stream.floorDb;
      stream.floorDb = Math.min(Math.max(levelDb, SILENCE_DB), stream.floorDb + FLOOR_RISE_DB_PER_WINDOW);
      return levelDb < MIN_SPEECH_DB ? 0 : Math.min(1, Math.max(0, above / CERTAIN_DB));
    });
    return Promise.resolve(Float32Array.from(probabilities));
  }
}

function decibels(window: Int16Array): number {
  let sum = 0;
  for (const sample of window) sum += sample * sample;
  return 10 * Math.log10(sum / window.length / 32768 ** 2 + 1e-10);
}
