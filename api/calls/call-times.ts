/** When a call may be dialled. */
import { impossible } from '../errors';

const MAX_AHEAD_MS = 90 * 24 * 3600 * 1000;
/** Without an end of its own a call that still waits then is not expected any more. */
const EXPIRES_AFTER_MS = 3600 * 1000;

export interface CallTimes {
  /** Epoch ms; null: at once. */
  readonly scheduledAtMs: number | null;
  readonly expiresAtMs: number;
}

/**
 * What is past is at once.
 * @throws ApiError 422 `scheduled_too_far`, `expires_too_early`
 */
export function callTimes(
  {
    scheduled_at,
    expires_at,
  }: { readonly scheduled_at?: string | null | undefined; readonly expires_at?: string | null | undefined },
  nowMs: number,
): CallTimes {
  const dueMs = scheduled_at == null ? nowMs : Date.parse(scheduled_at);
  assertNotTooFar(dueMs, nowMs);
  const beginMs = Math.max(dueMs, nowMs);
  const expiresAtMs = expires_at == null ? beginMs + EXPIRES_AFTER_MS : Date.parse(expires_at);
  if (expiresAtMs <= beginMs) throw expiresTooEarly();
  return { scheduledAtMs: dueMs > nowMs ? dueMs : null, expiresAtMs };
}

/** @throws ApiError 422 `scheduled_too_far` */
export function assertNotTooFar(dueMs: number, nowMs: number): void {
  if (dueMs <= nowMs + MAX_AHEAD_MS) return;
  throw impossible('scheduled_too_far', 'A call is scheduled at most 90 days ahead');
}

export function expiresTooEarly(): ReturnType<typeof impossible> {
  return impossible('expires_too_early', 'expires_at must lie after the time at which the call is to be dialled');
}
