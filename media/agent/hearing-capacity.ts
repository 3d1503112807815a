/**
 * How many callers the recogniser can listen to: a question of how long an utterance takes on this machine when as many are
 * said at once as it works on together. Beyond it turns wait past their deadline, and the agent asks again instead of
 * answering.
 */
import type { SpeechToText } from './speech-to-text';

/** What a caller says in one turn, for length: about three seconds. */
export const TYPICAL_UTTERANCE = 'I would like to book a table for two people on Friday evening.';
/** From one turn to the next of a caller who talks half of the time: the sentence, the pause that ends it, the agent's answer. */
const TURN_MS = 6_000;
/** Share of its time that a recogniser may be busy before utterances queue up behind each other. */
const BUSY_SHARE = 0.55;
/** A machine that was busy while it was measured still gets a few. */
const MIN_CALLERS = 4;
const MAX_RUNS = 5;

export interface HearingOptions {
  /** No run begins later than this. */
  readonly limitMs: number;
  readonly now: () => number;
}

/**
 * What one utterance takes of a full load, ms; at least one run. The lower quartile: a run that others kept waiting says little of
 * the recogniser. Rejects with what that rejects with.
 */
export async function measureRecognition(
  stt: SpeechToText,
  utterance: Int16Array,
  { limitMs, now }: HearingOptions,
): Promise<number> {
  const { atOnce = 1 } = stt;
  const beganMs = now();
  const tookMs: number[] = [];
  while (tookMs.length < MAX_RUNS && now() - beganMs < limitMs) {
    const runMs = now();
    await Promise.all(Array.from({ length: atOnce }, () => stt.transcribe(utterance, { keyterms: [] })));
    tookMs.push((now() - runMs) / atOnce);
  }
  tookMs.sort((a, b) => a - b);
  return tookMs[tookMs.length >> 2] ?? limitMs;
}

/** Callers whose turns a recogniser keeps up with that takes `utteranceMs` for one. */
export function callersHeard(utteranceMs: number): number {
  return Math.max(MIN_CALLERS, Math.floor((BUSY_SHARE * TURN_MS) / utteranceMs));
}
