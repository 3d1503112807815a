/** Voice activity of many calls: frames in, events out, one detector run for all windows that are complete. */
import type { AudioBatch } from '../../audio/audio-batch';
import { GRAPH_FRAME_SAMPLES } from '../../audio/frame';
import { CallEar } from './call-ear';
import type { VadEvent, VoiceActivityDetector } from './voice-activity';

export class SpeechAnalyser<Stream> {
  readonly #detector: VoiceActivityDetector<Stream>;
  readonly #onEvents: (events: readonly VadEvent[]) => void;
  readonly #ears = new Map<number, CallEar<Stream>>();
  #running = false;

  constructor(detector: VoiceActivityDetector<Stream>, onEvents: (events: readonly VadEvent[]) => void) {
    this.#detector = detector;
    this.#onEvents = onEvents;
  }

  open(mediaId: number): void {
    this.#ears.set(mediaId, new CallEar(mediaId, this.#detector.open(), this.#detector.windowSamples));
  }

  close(mediaId: number): void {
    this.#ears.delete(mediaId);
  }

  commit(mediaId: number): void {
    this.#ears.get(mediaId)?.commit();
  }

  utterance(mediaId: number): Int16Array {
    return this.#ears.get(mediaId)?.utterance() ?? new Int16Array(0);
  }

  /** Frames of calls that are not open are dropped. */
  async push(batch: AudioBatch): Promise<void> {
    batch.mediaIds.forEach((mediaId, i) => {
      const frame = [i * GRAPH_FRAME_SAMPLES, (i + 1) * GRAPH_FRAME_SAMPLES] as const;
      this.#ears.get(mediaId)?.append(batch.pcm.subarray(...frame), batch.sent.subarray(...frame));
    });
    if (this.#running) return;
    this.#running = true;
    try {
      while (await this.#analyse());
    } finally {
      this.#running = false;
    }
  }

  async #analyse(): Promise<boolean> {
    const ears: CallEar<Stream>[] = [];
    const windows: Int16Array[] = [];
    for (const ear of this.#ears.values()) {
      const window = ear.nextWindow();
      if (!window) continue;
      ears.push(ear);
      windows.push(window);
    }
    if (ears.length === 0) return false;
    const pcm = new Int16Array(ears.length * this.#detector.windowSamples);
    windows.forEach((window, i) => pcm.set(window, i * window.length));
    const probabilities = await this.#detector.detect(
      ears.map((ear) => ear.stream),
      pcm,
    );
    const events = ears.flatMap((ear, i) => ear.push(windows[i]!, probabilities[i]!) ?? []);
    if (events.length > 0) this.#onEvents(events);
    return true;
  }
}
