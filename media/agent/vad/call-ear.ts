/** What the speech thread keeps of one call: windows in the making, echo guard and gate, and the audio of the turn. */
import { GRAPH_RATE_HZ } from '../../audio/frame';
import { EchoGuard } from './echo-guard';
import { SpeechGate } from './speech-gate';
import { UtteranceBuffer } from './utterance-buffer';
import type { VadEvent } from './voice-activity';

/** Recognisers need a little air around speech; more makes them invent words. */
const PADDING_SAMPLES = 0.2 * GRAPH_RATE_HZ;

export class CallEar<Stream> {
  readonly stream: Stream;
  readonly #windowSamples: number;
  readonly #guard: EchoGuard;
  readonly #gate: SpeechGate;
  readonly #audio = new UtteranceBuffer();
  #analysed = 0;
  /** Onset of the turn's first speech; null while the caller has said nothing since the last turn. */
  #turnStart: number | null = null;
  /** Speech up to here belonged to an earlier turn. */
  #takenUntil = 0;

  constructor(mediaId: number, stream: Stream, windowSamples: number) {
    this.stream = stream;
    this.#windowSamples = windowSamples;
    this.#guard = new EchoGuard(windowSamples);
    this.#gate = new SpeechGate(mediaId, windowSamples);
  }

  append(frame: Int16Array, sent: Int16Array): void {
    this.#audio.append(frame);
    this.#guard.sent(sent);
  }

  /** The next whole window to analyse, if one is complete. */
  nextWindow(): Int16Array | null {
    const end = this.#analysed + this.#windowSamples;
    if (this.#audio.end < end) return null;
    const window = this.#audio.read(this.#analysed, end);
    this.#analysed = end;
    this.#audio.keepFrom(this.#keptFrom);
    if (window.length === this.#windowSamples) return window;
    // So late that the buffer's limit has dropped it: counts as silence.
    const whole = new Int16Array(this.#windowSamples);
    whole.set(window, this.#windowSamples - window.length);
    return whole;
  }

  /** What a detector says of the window that `nextWindow` gave. */
  push(window: Int16Array, probability: number): VadEvent | null {
    const event = this.#gate.push(this.#guard.judge(window, probability));
    if (event?.type === 'speech_start' && this.#turnStart === null) this.#startTurn(event.atSample);
    return event;
  }

  /** The turn so far, from just before its first speech to just after its last; empty when there was none. */
  utterance(): Int16Array {
    const end = this.#gate.speechEnd;
    if (this.#turnStart === null || end === null) return new Int16Array(0);
    const from = Math.max(this.#takenUntil, this.#turnStart - PADDING_SAMPLES);
    return this.#audio.read(from, end + PADDING_SAMPLES);
  }

  /** The turn was taken. Speech that goes on at this moment starts the next one. */
  commit(): void {
    this.#takenUntil = this.#analysed;
    this.#turnStart = null;
    if (this.#gate.state === 'speech') this.#startTurn(this.#analysed);
  }

  get #keptFrom(): number {
    return (this.#turnStart ?? this.#analysed) - PADDING_SAMPLES;
  }

  #startTurn(sample: number): void {
    this.#turnStart = sample;
    this.#audio.keepFrom(this.#keptFrom);
  }
}
