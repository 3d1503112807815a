/**
 * When a contact is due next. By how an attempt ended: how often such an ending is followed by another attempt, and after how
 * long. Somebody who did not pick up is called at another time of day: the parts of the window's day in which nobody answered
 * yet come first, as long as that costs no more than a day of waiting.
 */
import type { Disposition } from '../../contract/endings';
import type { NumberPlace, DiallingWindow } from './dialling-window';
import { DAY_MS, MINUTE_MS } from './zone-clock';

export interface RetryRule {
  /** Further attempts that endings of this kind may bring; 0: none. */
  readonly max: number;
  /** Before the first, second … of them; the last value serves for the rest. At least one where `max` is not 0. */
  readonly delaysMinutes: readonly number[];
}

export interface RetryMatrix {
  /** A disposition that is not here is not retried. */
  readonly rules: Readonly<Partial<Record<Disposition, RetryRule>>>;
  /** The first one counts. */
  readonly maxAttemptsTotal: number;
}

/**
 * What reached a person, or a decision of theirs or of the carrier's about them, is final (answered, rejected, invalid_number,
 * blocked, redirect), and so is a call that may have rung unseen (uncertain), one that an operator took back (canceled), and
 * what our own configuration broke: the next contact would fare no better (trunk_denied, identity_rejected …).
 */
export const DEFAULT_RETRY_MATRIX: RetryMatrix = {
  rules: {
    busy: { max: 3, delaysMinutes: [15, 60, 240] },
    no_answer: { max: 3, delaysMinutes: [240, 1440, 2880] },
    voicemail: { max: 2, delaysMinutes: [1440, 2880] },
    congestion: { max: 3, delaysMinutes: [10, 30, 120] },
    trunk_unreachable: { max: 3, delaysMinutes: [5, 30, 120] },
    trunk_timeout: { max: 2, delaysMinutes: [30, 240] },
    failed: { max: 1, delaysMinutes: [60] },
    expired: { max: 3, delaysMinutes: [15, 60, 240] },
  },
  maxAttemptsTotal: 5,
};

export interface PastAttempt {
  /** When it was dialled, epoch ms. */
  readonly atMs: number;
  readonly disposition: Disposition;
}

export interface RetryInput {
  readonly matrix: RetryMatrix;
  /** All of this contact in this campaign that have ended, in any order. */
  readonly attempts: readonly PastAttempt[];
  readonly window: DiallingWindow;
  readonly place: NumberPlace;
  readonly ringMs: number;
  readonly nowMs: number;
  /** The campaign's end; nothing is due from then on. */
  readonly endsAtMs: number | null;
}

export type RetryEnd =
  | 'answered'
  /** The last ending is none that is retried. */
  | 'not_retried'
  | 'disposition_exhausted'
  | 'attempts_exhausted'
  /** The window does not open within 30 days of when it would be due. */
  | 'window_closed'
  | 'campaign_ended';

/** Caps, DNC and capacity are not asked here: the dial asks them, and everything else again. */
export type RetryPlan =
  { readonly done: false; readonly dueAtMs: number } | { readonly done: true; readonly reason: RetryEnd };

/** Nobody was there: somebody may be at another time of day. */
const UNANSWERED: ReadonlySet<Disposition> = new Set(['no_answer', 'voicemail']);

/** What a fruitless attempt in a part of the day is worth in waiting for another part; the latest counts twice. */
const FRUITLESS_MS = DAY_MS;

export function planRetry(input: RetryInput): RetryPlan {
  const attempts = input.attempts.toSorted((a, b) => a.atMs - b.atMs);
  const last = attempts.at(-1);
  if (last === undefined) return due(input, input.window.nextOpen(input.place, input.nowMs, input.ringMs));
  const end = endOf(input.matrix, attempts, last);
  if (end !== null) return { done: true, reason: end };
  const earliestMs = Math.max(input.nowMs, last.atMs + delayMs(input.matrix, attempts, last));
  const openMs = input.window.nextOpen(input.place, earliestMs, input.ringMs);
  if (!UNANSWERED.has(last.disposition) || openMs === null) return due(input, openMs);
  return due(input, otherTimeOfDay(input, attempts, earliestMs) ?? openMs);
}

function due({ endsAtMs }: RetryInput, atMs: number | null): RetryPlan {
  if (atMs === null) return { done: true, reason: 'window_closed' };
  return endsAtMs !== null && atMs >= endsAtMs
    ? { done: true, reason: 'campaign_ended' }
    : { done: false, dueAtMs: atMs };
}

function endOf(matrix: RetryMatrix, attempts: readonly PastAttempt[], last: PastAttempt): RetryEnd | null {
  if (attempts.some(({ disposition }) => disposition === 'answered')) return 'answered';
  const max = matrix.rules[last.disposition]?.max ?? 0;
  if (max === 0) return 'not_retried';
  if (alike(attempts, last) > max) return 'disposition_exhausted';
  return attempts.length >= matrix.maxAttemptsTotal ? 'attempts_exhausted' : null;
}

/** How many have ended like the last one, itself included. */
function alike(attempts: readonly PastAttempt[], last: PastAttempt): number {
  return attempts.filter(({ disposition }) => disposition === last.disposition).length;
}

function delayMs(matrix: RetryMatrix, attempts: readonly PastAttempt[], last: PastAttempt): number {
  const delays = matrix.rules[last.disposition]?.delaysMinutes ?? [];
  const minutes = delays[Math.min(alike(attempts, last), delays.length) - 1];
  if (minutes === undefined) throw new RangeError(`no delay for ${last.disposition}`);
  return minutes * MINUTE_MS;
}

/** Null: no part of the day opens before the campaign ends. */
function otherTimeOfDay(input: RetryInput, attempts: readonly PastAttempt[], earliestMs: number): number | null {
  const zone = input.place.zones[0];
  if (zone === undefined) return null;
  const fruitless = attempts.filter(({ disposition }) => UNANSWERED.has(disposition));
  let best: { readonly atMs: number; readonly costMs: number } | null = null;
  for (const part of input.window.partsOfDay()) {
    const atMs = part.nextOpen(input.place, earliestMs, input.ringMs);
    if (atMs === null || (input.endsAtMs !== null && atMs >= input.endsAtMs)) continue;
    const inPart = fruitless.filter((attempt) => part.showsOpen(zone, attempt.atMs));
    const latest = inPart.includes(fruitless.at(-1) as PastAttempt) ? 1 : 0;
    const costMs = atMs + (inPart.length + latest) * FRUITLESS_MS;
    if (best === null || costMs < best.costMs) best = { atMs, costMs };
  }
  return best?.atMs ?? null;
}
