/** Who finds speech in a call's audio, and what it tells of it. */

/**
 * Speech probability of successive windows, for many calls at once. `Stream` is what the detector remembers of one
 * call between two windows.
 */
export interface VoiceActivityDetector<Stream = unknown> {
  readonly name: string;
  /** Samples per window. */
  readonly windowSamples: number;
  open(): Stream;
  /** The next window of each stream, one after the other in `pcm`; 0..1 for each. */
  detect(streams: readonly Stream[], pcm: Int16Array): Promise<Float32Array>;
}

/** What the speech thread tells of one call. Lengths are counted in the call's audio, not by a clock. */
export type VadEvent =
  | {
      readonly type: 'speech_start';
      readonly mediaId: number;
      readonly atSample: number;
      /** Speech since its onset, which lies before the moment it was noticed. */
      readonly speechMs: number;
    }
  /** Still speaking; every window at first so that barge-in can count the length, then every ~100 ms. */
  | { readonly type: 'speech_continues'; readonly mediaId: number; readonly speechMs: number }
  /** Silence for `silenceMs` so far after speech; sent while it grows. */
  | { readonly type: 'pause'; readonly mediaId: number; readonly silenceMs: number; readonly speechMs: number };
