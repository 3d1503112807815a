/**
 * Whether a campaign's calls go so badly that it is to call more slowly, or not at all: the share of its dials that are
 * answered, and of its answered calls the share that is over at once, and the share whose callee was left in silence.
 *
 * They are taken over a sliding window: its last calls, the latest that are young enough (`guardSinceMs`). Only calls of which all
 * is known by their age count: in the first minute the refused ones have ended and the answered ones have not.
 */
import type { AutoPause } from '../entities/campaign';

/** No call that was begun longer ago counts, */
const GUARD_WINDOW_MS = 30 * 60_000;
/** nor more than this many, the latest of them. */
export const GUARD_CALLS = 2_000;
/** Below it a share says nothing: of dials, */
const MIN_ATTEMPTS = 50;
/** and of answered calls. */
const MIN_ANSWERED = 30;

/** Silence, for the callee, that makes an answered call an abandoned one. */
export const ABANDONED_AFTER_MS = 2_000;

export interface GuardFigures {
  /** Calls that a person or a machine has taken. */
  readonly answered: number;
  /** Dials that have come to something, those that we took back ourselves left out. */
  readonly attempts: number;
  /** Of the answered ones: over within so many seconds. */
  readonly shortCalls6s: number;
  /** Those of six seconds among them. */
  readonly shortCalls12s: number;
  /** Of the answered ones: no sound of the agent in time after the callee's greeting, or after the answer. */
  readonly abandoned: number;
}

export type Guard = 'answer_rate' | 'short_calls' | 'abandon';

export type GuardVerdict =
  | { readonly action: 'none' }
  | {
      readonly action: 'slow' | 'pause';
      readonly guard: Guard;
      /** A share between 0 and 1, as the limit that it has broken. */
      readonly figure: number;
      readonly limit: number;
      /** That it is a share of. */
      readonly calls: number;
    };

/**
 * From when on calls count: none that was begun before the campaign was started or resumed, or before it was slowed, because
 * what was wrong then has been answered. Epoch ms.
 */
export function guardSinceMs(nowMs: number, since: { runningMs: number | null; slowedMs: number | null }): number {
  return Math.max(nowMs - GUARD_WINDOW_MS, since.runningMs ?? -Infinity, since.slowedMs ?? -Infinity);
}

/** Whether the figures tell anything yet of what the limits look at: a campaign that was slowed may be quick again. */
export function areConclusive({ attempts, answered }: GuardFigures, limits: AutoPause): boolean {
  if (limits.answerRateBelow !== null && attempts < MIN_ATTEMPTS) return false;
  const asksAnswered = limits.shortCallShareAbove !== null || limits.abandonShareAbove !== null;
  return !asksAnswered || answered >= MIN_ANSWERED;
}

/** The first breach slows the campaign; one at less than its full pace pauses it. */
export function guardVerdict(figures: GuardFigures, limits: AutoPause, pace: number): GuardVerdict {
  const breach = breachOf(figures, limits);
  return breach === null ? { action: 'none' } : { action: pace < 1 ? 'pause' : 'slow', ...breach };
}

type Breach = Omit<Exclude<GuardVerdict, { action: 'none' }>, 'action'>;

/** What harms people first. */
function breachOf(figures: GuardFigures, limits: AutoPause): Breach | null {
  const { attempts, answered, abandoned, shortCalls6s, shortCalls12s } = figures;
  const { abandonShareAbove, shortCallShareAbove, answerRateBelow } = limits;
  const above = (guard: Guard, count: number, limit: number): Breach | null => {
    const figure = count / answered;
    return answered >= MIN_ANSWERED && figure > limit ? { guard, figure, limit, calls: answered } : null;
  };
  if (abandonShareAbove !== null) {
    const breach = above('abandon', abandoned, abandonShareAbove);
    if (breach) return breach;
  }
  if (shortCallShareAbove !== null) {
    const short = above('short_calls', shortCalls6s, shortCallShareAbove);
    // Twice as long, and twice as many may be.
    const breach = short ?? above('short_calls', shortCalls12s, 2 * shortCallShareAbove);
    if (breach) return breach;
  }
  if (answerRateBelow === null || attempts < MIN_ATTEMPTS) return null;
  const figure = answered / attempts;
  if (figure >= answerRateBelow) return null;
  return { guard: 'answer_rate', figure, limit: answerRateBelow, calls: attempts };
}
