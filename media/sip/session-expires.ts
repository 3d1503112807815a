import { parseParameters } from './message/parameters';

import type { SipMessage, SipRequest, SipResponse } from './message/message';
import type { Refusal } from './message/validation';

/** What two sides say about how long a session lasts unrefreshed (RFC 4028), and what they agree on by it. */

export interface SessionTimerPolicy {
  /** What our INVITE asks for. */
  readonly intervalSeconds: number;
  /** A request for less is refused with 422. */
  readonly minimumSeconds: number;
}

/** RFC 4028 §4: half an hour is recommended, 90 s is the least. */
export const SESSION_TIMER_POLICY: SessionTimerPolicy = { intervalSeconds: 1_800, minimumSeconds: 90 };

/** What holds from a 2xx on. */
export interface SessionInterval {
  readonly seconds: number;
  readonly refresher: 'us' | 'peer';
}

interface SessionExpires {
  readonly seconds: number;
  /** By the roles in the request that it stands in, or that is answered. */
  readonly refresher: 'uac' | 'uas' | null;
}

/** No call lasts a week; and a number of ten digits fits no timer. */
const LONGEST_SECONDS = 7 * 24 * 3_600;

/** RFC 4028 §6: a client that understands timers is told that its interval is too short; a proxy's is not its fault. */
export function tooBrief(request: SipRequest, { minimumSeconds }: SessionTimerPolicy): Refusal | null {
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return null;
  const asked = sessionExpires(request);
  if (asked === null || asked.seconds >= minimumSeconds || !knowsTimers(request)) return null;
  return { status: 422, headers: [`Min-SE: ${minimumSeconds}`] };
}

/** Header lines of a session refresh request of ours, in which we are the UAC. */
export function askForSession(seconds: number, minimumSeconds: number, refresher?: 'us' | 'peer'): string[] {
  const role = refresher === undefined ? '' : `;refresher=${refresher === 'us' ? 'uac' : 'uas'}`;
  return [`Session-Expires: ${seconds}${role}`, `Min-SE: ${minimumSeconds}`];
}

/** What our 2xx to a session refresh request grants (RFC 4028 §9 and its table 2); null: the session does not expire. */
export function grantSession(
  request: SipRequest,
  current: SessionInterval | null,
  { minimumSeconds }: SessionTimerPolicy,
): { readonly interval: SessionInterval; readonly headers: readonly string[] } | null {
  const asked = sessionExpires(request);
  const wanted = asked !== null && asked.seconds >= minimumSeconds ? asked : null;
  // A request that leaves it out, such as a hold, does not end what was agreed.
  const seconds = wanted?.seconds ?? (current === null ? null : Math.max(current.seconds, minSe(request)));
  if (seconds === null) return null;
  // Left to us, the refresher is who it was, and at first we: our refresh also finds a peer that is gone.
  const peer = knowsTimers(request) && (wanted?.refresher ?? (current?.refresher === 'peer' ? 'uac' : 'uas')) === 'uac';
  const headers = [`Session-Expires: ${seconds};refresher=${peer ? 'uac' : 'uas'}`];
  if (knowsTimers(request)) headers.push('Require: timer');
  return { interval: { seconds, refresher: peer ? 'peer' : 'us' }, headers };
}

/** What a 2xx to our session refresh request granted (RFC 4028 §7.2); null: the session does not expire. */
export function grantedSession(response: SipResponse): SessionInterval | null {
  const granted = sessionExpires(response);
  return granted && { seconds: granted.seconds, refresher: granted.refresher === 'uas' ? 'peer' : 'us' };
}

/** 0 without one. */
export function minSe(message: SipMessage): number {
  return deltaSeconds(message.first('min-se')) ?? 0;
}

function sessionExpires(message: SipMessage): SessionExpires | null {
  const value = message.first('session-expires');
  const seconds = deltaSeconds(value);
  if (value === undefined || seconds === null || seconds === 0) return null;
  const semicolon = value.indexOf(';');
  const params = parseParameters(semicolon < 0 ? '' : value.slice(semicolon + 1));
  const refresher = params.get('refresher')?.toLowerCase();
  return { seconds, refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null };
}

function deltaSeconds(value: string | undefined): number | null {
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(value ?? '')?.[1];
  return digits === undefined ? null : Math.min(Number(digits), LONGEST_SECONDS);
}

function knowsTimers(request: SipRequest): boolean {
  return request.optionTags('supported').includes('timer') || request.optionTags('require').includes('timer');
}
