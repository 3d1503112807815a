/**
 * One thing the agent says: sentences go in, audio goes to the call, at most two sentences ahead of what is heard, the
 * next one synthesised while the last one plays. Knows afterwards, to the sample, how much of it was heard.
 */
import type { CallAudio } from '../agent-session';
import { heardText } from './heard-text';
import type { SynthesisedSentence } from './synthesised-sentence';

const SENTENCES_AHEAD = 2;
/** Length of speech not synthesised to its end when it was cut, in samples per character. */
const SAMPLES_PER_CHARACTER = 520;

interface AgentSpeechDelegate {
  onFirstAudio(): void;
  /** Everything was heard. */
  onFinished(): void;
  /** A sentence could not be synthesised; what was queued before it still plays. */
  onFailed(): void;
}

export interface AgentSpeechOptions {
  readonly audio: CallAudio;
  readonly synthesise: (text: string) => SynthesisedSentence;
  readonly nextPlaybackId: () => number;
  readonly delegate: AgentSpeechDelegate;
}

interface Entry {
  readonly text: string;
  readonly playbackId: number;
  sentence: SynthesisedSentence | null;
  chunksQueued: number;
  samplesQueued: number;
  queued: boolean;
  finished: boolean;
}

export class AgentSpeech {
  readonly #options: AgentSpeechOptions;
  readonly #entries: Entry[] = [];
  #ended = false;
  /** Finished, failed or cut: nothing happens any more. */
  #over = false;
  #audible = false;

  constructor(options: AgentSpeechOptions) {
    this.#options = options;
  }

  get audible(): boolean {
    return this.#audible;
  }

  /** All of it, heard or not. */
  get text(): string {
    return this.#entries.map((entry) => entry.text).join(' ');
  }

  say(text: string, prepared: SynthesisedSentence | null = null): void {
    if (this.#over) return;
    const playbackId = this.#options.nextPlaybackId();
    this.#entries.push({
      text,
      playbackId,
      sentence: prepared,
      chunksQueued: 0,
      samplesQueued: 0,
      queued: false,
      finished: false,
    });
    this.#advance();
  }

  /** No more sentences come. */
  end(): void {
    this.#ended = true;
    this.#advance();
  }

  onPlaybackFinished(playbackId: number): void {
    const entry = this.#entries.find((candidate) => candidate.playbackId === playbackId);
    if (!entry) return;
    entry.finished = true;
    this.#advance();
  }

  /** Silences it at once; resolves with the text heard until then. */
  async cut(): Promise<string> {
    this.cancel();
    if (!this.#audible) return '';
    try {
      return this.#heard(await this.#options.audio.clear());
    } catch {
      // The call's audio is gone already; what finished before was heard.
      return this.#heard(new Map());
    }
  }

  /** No more audio is queued. What is queued already is left to the caller of this. */
  cancel(): void {
    this.#over = true;
    for (const entry of this.#entries) entry.sentence?.cancel();
  }

  #advance(): void {
    if (this.#over) return;
    let ahead = 0;
    for (const entry of this.#entries) {
      if (entry.finished) continue;
      if (ahead >= SENTENCES_AHEAD) return;
      if (!entry.queued && !this.#feed(entry)) return;
      if (!entry.finished) ahead++;
    }
    if (this.#ended && this.#entries.every((entry) => entry.finished)) {
      this.#over = true;
      this.#options.delegate.onFinished();
    }
  }

  /** Queues what is there; true when the whole sentence is queued. */
  #feed(entry: Entry): boolean {
    const sentence = (entry.sentence ??= this.#options.synthesise(entry.text));
    sentence.onProgress = () => this.#advance();
    const complete = sentence.state === 'complete';
    // One chunk is held back until it is known whether it is the last.
    const ready = complete ? sentence.chunks.length : sentence.chunks.length - 1;
    while (entry.chunksQueued < ready) {
      const chunk = sentence.chunks[entry.chunksQueued++]!;
      entry.samplesQueued += chunk.length;
      this.#options.audio.play(entry.playbackId, chunk, complete && entry.chunksQueued === ready);
      this.#onAudio();
    }
    if (sentence.state === 'failed') {
      this.#over = true;
      this.#options.delegate.onFailed();
      return false;
    }
    entry.queued = complete;
    // Nothing to say in it ("…", an emoji): done without a playback.
    if (complete && sentence.chunks.length === 0) entry.finished = true;
    return complete && !this.#over;
  }

  #onAudio(): void {
    if (this.#audible) return;
    this.#audible = true;
    this.#options.delegate.onFirstAudio();
  }

  #heard(sent: ReadonlyMap<number, number>): string {
    const parts: string[] = [];
    for (const entry of this.#entries) {
      if (entry.finished) {
        parts.push(entry.text);
        continue;
      }
      const samples = sent.get(entry.playbackId) ?? 0;
      const total = entry.queued
        ? entry.samplesQueued
        : Math.max(entry.samplesQueued, entry.text.length * SAMPLES_PER_CHARACTER);
      const heard = heardText(entry.text, samples, total);
      if (heard !== '') parts.push(heard);
      if (heard !== entry.text) break;
    }
    return parts.join(' ');
  }
}
