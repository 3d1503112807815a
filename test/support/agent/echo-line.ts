/**
 * A telephone line that echoes, on a clock of its own: what the agent plays comes back through delay, filter and codec,
 * beside the noise of the line and whatever the caller says. Between both stand the real ear and conversation.
 */
import type { CallAudio } from '../../../media/agent/agent-session';
import type { CallerAudioSource } from '../../../media/agent/vad/speech-listener';
import { SpeechAnalyser } from '../../../media/agent/vad/speech-analyser';
import type { VadEvent, VoiceActivityDetector } from '../../../media/agent/vad/voice-activity';
import { decodeG711, encodeG711 } from '../../../media/codec/g711';
import type { G711Law } from '../../../media/codec/g711';
import { PlaybackQueue } from '../../../media/rtp/playback-queue';

const FRAME = 160;
const MEDIA_ID = 1;

export interface Echo {
  /** Of the speech, relative to what was sent; negative. */
  readonly levelDb: number;
  readonly delayMs: number;
  /** Impulse response of the far end at 8 kHz, normalised to the power of one; [1] is a plain delay. */
  readonly response: readonly number[];
}

export interface EchoLineOptions {
  readonly detector: VoiceActivityDetector;
  readonly random: () => number;
  readonly law: G711Law;
  readonly echo: Echo | null;
  /** Level of the line's noise, dBov. */
  readonly noiseDb: number;
}

export class EchoLine implements CallAudio, CallerAudioSource {
  readonly mediaId = MEDIA_ID;
  onPlaybackFinished: (playbackId: number) => void = () => undefined;
  /** Frames since the beginning. */
  frames = 0;
  /** When playback was last given up, in frames. */
  clearedAt: number | null = null;
  readonly #options: EchoLineOptions;
  readonly #analyser: SpeechAnalyser<unknown>;
  readonly #queue = new PlaybackQueue((id) => this.#finished.push(id));
  readonly #finished: number[] = [];
  readonly #listeners = new Set<(event: VadEvent) => void>();
  readonly #response: readonly number[];
  /** All that the far end has heard. */
  #far = new Int16Array(60 * 8_000);
  #speech: { readonly pcm: Int16Array; readonly from: number } | null = null;

  constructor(options: EchoLineOptions) {
    this.#options = options;
    const { echo } = options;
    const norm = Math.hypot(...(echo?.response ?? [1]));
    this.#response = (echo?.response ?? []).map((tap) => (tap / norm) * 10 ** ((echo?.levelDb ?? 0) / 20));
    this.#analyser = new SpeechAnalyser(options.detector, (events) => {
      for (const event of events) for (const listener of this.#listeners) listener(event);
    });
  }

  /** The caller says it from the next frame on. */
  say(pcm: Int16Array): void {
    this.#speech = { pcm, from: this.frames * FRAME };
  }

  /** 20 ms of the line. */
  async tick(): Promise<void> {
    const at = this.frames * FRAME;
    const sent = new Int16Array(FRAME);
    this.#queue.frame(sent);
    this.#far.set(overTheLine(sent, this.#options.law), at);
    const pcm = new Int16Array(FRAME);
    for (let i = 0; i < FRAME; i++) pcm[i] = this.#heardAt(at + i);
    this.frames++;
    await this.#analyser.push({
      mediaIds: Uint32Array.of(MEDIA_ID),
      pcm: overTheLine(pcm, this.#options.law),
      received: Uint8Array.of(1),
      sent,
    });
    for (const id of this.#finished.splice(0)) this.onPlaybackFinished(id);
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    this.#queue.play(playbackId, pcm, last);
  }

  clear(): Promise<ReadonlyMap<number, number>> {
    this.clearedAt = this.frames;
    return Promise.resolve(this.#queue.clear());
  }

  setGain(gain: number): void {
    this.#queue.setGain(gain);
  }

  open(mediaId: number, onEvent: (event: VadEvent) => void): ReturnType<CallerAudioSource['open']> {
    this.#analyser.open(mediaId);
    this.#listeners.add(onEvent);
    return {
      utterance: () => Promise.resolve(this.#analyser.utterance(mediaId)),
      commit: () => this.#analyser.commit(mediaId),
      close: () => {
        this.#listeners.delete(onEvent);
        this.#analyser.close(mediaId);
      },
    };
  }

  #heardAt(sample: number): number {
    const { echo, noiseDb, random } = this.#options;
    // Sum of four uniform numbers: near enough to the hiss of a line.
    const hiss = (random() + random() + random() + random() - 2) * Math.sqrt(3);
    let sum = hiss * 32_768 * 10 ** (noiseDb / 20);
    const speech = this.#speech;
    if (speech) sum += speech.pcm[sample - speech.from] ?? 0;
    if (echo) {
      const from = sample - Math.round(echo.delayMs * 8);
      for (let k = 0; k < this.#response.length; k++) sum += this.#response[k]! * (this.#far[from - k] ?? 0);
    }
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
}

function overTheLine(pcm: Int16Array, law: G711Law): Int16Array {
  const octets = new Uint8Array(pcm.length);
  encodeG711(law, pcm, 0, pcm.length, octets);
  const heard = new Int16Array(pcm.length);
  decodeG711(law, octets, 0, octets.length, heard);
  return heard;
}
