/** What a provider of voices implements: text in, audio out as it becomes ready. */

export interface TtsRequest {
  readonly text: string;
  readonly voiceId: string | null;
  readonly speedPct: number;
  readonly signal?: AbortSignal;
}

export interface Voice {
  readonly id: string;
  readonly name: string;
  readonly language: readonly string[];
  readonly gender: string;
  /** Speaks for agents that name no voice. */
  readonly default?: boolean;
}

export interface TextToSpeech {
  readonly name: string;
  voices(): readonly Voice[];
  /** Yields mono PCM chunks at the graph's rate as they become ready; rejects with the signal's reason when it is aborted. */
  synthesise(request: TtsRequest): AsyncIterable<Int16Array>;
  close(): Promise<void>;
}
