/** When to register again. `random` is like Math.random: a carrier's users must not all come back at once. */

/** RFC 5626 §4.5, base and maximum for when no flow is left. */
const BASE_MS = 30_000;
const MAX_MS = 1_800_000;
/** Far beyond the maximum. */
const MAX_DOUBLINGS = 16;

/** After so many failures in a row, from 1: between half and all of a time that doubles. */
export function retryPauseMs(failures: number, random: () => number): number {
  const boundMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures, MAX_DOUBLINGS));
  return boundMs * (0.5 + random() / 2);
}

const REFUSED_MS = 300_000;
const REFUSED_MAX_MS = 3_600_000;

/** Whoever goes on with a password that is wrong is taken for somebody who guesses, and locked out. */
export function refusedPauseMs(refusals: number, random: () => number): number {
  const boundMs = Math.min(REFUSED_MAX_MS, REFUSED_MS * 2 ** Math.min(refusals - 1, MAX_DOUBLINGS));
  return boundMs * (0.9 + random() / 5);
}

const RETRY_AFTER_MIN_MS = 5_000;

/** What the carrier asks for, within bounds: it must neither drive us nor silence us for a day. */
export function retryAfterMs(seconds: number): number {
  return Math.min(REFUSED_MAX_MS, Math.max(RETRY_AFTER_MIN_MS, seconds * 1000));
}

/** 80 to 90 % of what was granted: the rest is for trying again. */
export function refreshPauseMs(grantedSeconds: number, random: () => number): number {
  return Math.max(1_000, grantedSeconds * 1000 * (0.8 + random() / 10));
}
