import type { TextToSpeech, TtsRequest, Voice } from '../../../media/agent/text-to-speech';

/** Speaks what it has said before from memory, at once: many tests say few sentences, and on a clock of their own. */
export class RememberedTts implements TextToSpeech {
  readonly name: string;
  readonly #tts: TextToSpeech;
  readonly #said = new Map<string, readonly Int16Array[]>();

  constructor(tts: TextToSpeech) {
    this.#tts = tts;
    this.name = tts.name;
  }

  voices(): readonly Voice[] {
    return this.#tts.voices();
  }

  async *synthesise(request: TtsRequest): AsyncIterable<Int16Array> {
    const key = JSON.stringify([request.text, request.voiceId, request.speedPct]);
    let chunks = this.#said.get(key);
    if (chunks === undefined) {
      const said: Int16Array[] = [];
      for await (const chunk of this.#tts.synthesise(request)) said.push(chunk);
      this.#said.set(key, (chunks = said));
    }
    // Whoever listens may change what it was given.
    for (const chunk of chunks) yield chunk.slice();
  }

  close(): Promise<void> {
    return this.#tts.close();
  }
}
