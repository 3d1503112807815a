/** What a provider of recognition implements. */

export interface SttResult {
  readonly text: string;
  /** 0..1 where the provider gives one. */
  readonly confidence: number | null;
}

export interface SttOptions {
  /** Words the provider may prefer where it supports that. */
  readonly keyterms: readonly string[];
  readonly signal?: AbortSignal;
}

export interface SpeechToText {
  readonly name: string;
  /** How many utterances it works on at the same time. Default 1. */
  readonly atOnce?: number;
  /** Recognises one utterance cut by the VAD, mono at the graph's rate. */
  transcribe(audio: Int16Array, options: SttOptions): Promise<SttResult>;
  close(): Promise<void>;
}
