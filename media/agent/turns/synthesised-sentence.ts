/** One sentence on its way through a voice: chunks collect here until they are played. */
import type { TextToSpeech, TtsRequest } from '../text-to-speech';
export type SynthesisState = 'running' | 'complete' | 'failed';

export class SynthesisedSentence {
  readonly text: string;
  readonly chunks: Int16Array[] = [];
  /** Called after each change; one listener. */
  onProgress: () => void = () => undefined;
  readonly #abort = new AbortController();
  #state: SynthesisState = 'running';

  private constructor(text: string) {
    this.text = text;
  }

  static start(
    tts: TextToSpeech,
    request: Omit<TtsRequest, 'signal'>,
    onError: (error: unknown) => void,
  ): SynthesisedSentence {
    const sentence = new SynthesisedSentence(request.text);
    void sentence.#collect(tts.synthesise({ ...request, signal: sentence.#abort.signal }), onError);
    return sentence;
  }

  static ready(text: string, pcm: Int16Array): SynthesisedSentence {
    const sentence = new SynthesisedSentence(text);
    sentence.chunks.push(pcm);
    sentence.#state = 'complete';
    return sentence;
  }

  get state(): SynthesisState {
    return this.#state;
  }

  cancel(): void {
    this.onProgress = () => undefined;
    this.#abort.abort();
  }

  async #collect(audio: AsyncIterable<Int16Array>, onError: (error: unknown) => void): Promise<void> {
    try {
      for await (const chunk of audio) {
        if (this.#abort.signal.aborted) return;
        if (chunk.length === 0) continue;
        this.chunks.push(chunk);
        this.onProgress();
      }
      this.#state = 'complete';
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#state = 'failed';
      onError(error);
    }
    this.onProgress();
  }
}
