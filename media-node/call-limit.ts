/** How many calls a node takes: what it is told, or what it can hear. */
import { availableParallelism } from 'node:os';

/** Calls one core carries beside recognition (signalling, packets, voice activity, voices), with room to spare. */
const CALLS_PER_CORE = 100;

export interface CallLimit {
  readonly calls: number;
  /** Where it comes from, for the log and `/ready`. */
  readonly because: string;
}

export interface CallLimitOptions {
  /** MEDIA_MAX_CALLS */
  readonly set: number | null;
  /** What the recogniser was measured to manage; null: nothing is recognised here. */
  readonly hearing: { readonly callers: number; readonly utteranceMs: number } | null;
  readonly cores?: number;
}

export function callLimit({ set, hearing, cores = availableParallelism() }: CallLimitOptions): CallLimit {
  const heard = hearing && `recogniser hears about ${hearing.callers} callers, ${hearing.utteranceMs} ms an utterance`;
  if (set !== null) return { calls: set, because: `MEDIA_MAX_CALLS${heard ? `; ${heard}` : ''}` };
  const carried = CALLS_PER_CORE * cores;
  if (hearing && heard && hearing.callers < carried) return { calls: hearing.callers, because: heard };
  return { calls: carried, because: `${CALLS_PER_CORE} a core` };
}
