/**
 * A telephone line in real time without RTP: plays what the agent queues, 20 ms at a time, and carries the caller's
 * speech to the speech thread.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AgentSession, CallAudio } from '../../../media/agent/agent-session';

const FRAME_SAMPLES = 160;

interface Queued {
  readonly id: number;
  readonly pcm: Int16Array;
  readonly last: boolean;
  at: number;
}

export class LiveLine implements CallAudio {
  readonly mediaId: number;
  /** What the caller heard, frame by frame. */
  readonly heard: Int16Array[] = [];
  firstFrameAt: number | null = null;
  session: AgentSession | null = null;
  readonly #port: MessagePort;
  readonly #sent = new Map<number, number>();
  #queue: Queued[] = [];
  #speech: { pcm: Int16Array; at: number; done: () => void } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #startedAt = 0;
  #frames = 0;

  constructor(mediaId: number, port: MessagePort) {
    this.mediaId = mediaId;
    this.#port = port;
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - this.#startedAt) / 20);
      while (this.#frames < due) this.#tick();
    }, 5);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Resolves when the caller has said it. */
  say(pcm: Int16Array): Promise<void> {
    return new Promise((done) => {
      this.#speech = { pcm, at: 0, done };
    });
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    this.#queue.push({ id: playbackId, pcm, last, at: 0 });
  }

  clear(): Promise<ReadonlyMap<number, number>> {
    this.#queue = [];
    return Promise.resolve(new Map(this.#sent));
  }

  setGain(): void {}

  #tick(): void {
    this.#frames++;
    const sent = this.#playFrame();
    const pcm = new Int16Array(FRAME_SAMPLES);
    const speech = this.#speech;
    if (speech) {
      pcm.set(speech.pcm.subarray(speech.at, speech.at + FRAME_SAMPLES));
      speech.at += FRAME_SAMPLES;
      if (speech.at >= speech.pcm.length) {
        this.#speech = null;
        speech.done();
      }
    }
    this.#port.postMessage({ mediaIds: Uint32Array.of(this.mediaId), pcm, received: Uint8Array.of(1), sent });
  }

  #playFrame(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    let filled = 0;
    while (filled < FRAME_SAMPLES) {
      const next = this.#queue[0];
      if (!next) break;
      const part = next.pcm.subarray(next.at, next.at + FRAME_SAMPLES - filled);
      frame.set(part, filled);
      filled += part.length;
      next.at += part.length;
      this.#sent.set(next.id, (this.#sent.get(next.id) ?? 0) + part.length);
      if (next.at < next.pcm.length) continue;
      this.#queue.shift();
      if (next.last) this.session?.onPlaybackFinished(next.id);
    }
    if (filled > 0) {
      this.firstFrameAt ??= performance.now();
      this.heard.push(frame);
    }
    return frame;
  }
}
