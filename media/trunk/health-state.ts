import type { TrunkHealth, TrunkHealthReason, TrunkHealthState, TrunkRegistration } from '../../contract/trunk-health';
import type { PingVerdict } from './ping-verdict';

/** What pings say of a trunk. */
export interface PingReach {
  readonly state: TrunkHealthState;
  readonly reasons: readonly TrunkHealthReason[];
  /** In a row. */
  readonly bad: number;
  /** In a row. */
  readonly good: number;
}

const BAD_UNTIL_DOWN = 3;
/** One answer may have been luck. */
const GOOD_UNTIL_BACK = 2;

const OF_REGISTRATION: ReadonlySet<string> = new Set(['registration_refused', 'registration_failed', 'not_watched']);

export const NOT_PINGED: PingReach = { state: 'unknown', reasons: [], bad: 0, good: 0 };

/**
 * Goes on from where another owner of the trunk was, or the same with another configuration: a trunk must not come to be
 * healthy unseen. What registration had to say is registration's to say again.
 */
export function resumedReach({ state, reasons: all }: Pick<TrunkHealth, 'state' | 'reasons'>): PingReach {
  const reasons = all.filter(({ code }) => !OF_REGISTRATION.has(code));
  if (reasons.length < all.length && reasons.length === 0) return NOT_PINGED;
  return { state, reasons, bad: state === 'down' ? BAD_UNTIL_DOWN : state === 'degraded' ? 1 : 0, good: 0 };
}

/**
 * Degraded after one ping that nobody answered, down after three in a row; back with the first good one, from down with
 * the second in a row. What answers that it is out of service is degraded, however often.
 */
export function afterPing(before: PingReach, { kind, reasons }: PingVerdict): PingReach {
  switch (kind) {
    case 'good': {
      const good = before.good + 1;
      if (before.state === 'down' && good < GOOD_UNTIL_BACK) return { ...before, bad: 0, good };
      return { state: 'healthy', reasons: [], bad: 0, good };
    }
    case 'impaired':
      return { state: 'degraded', reasons, bad: 0, good: 0 };
    case 'bad': {
      const bad = before.bad + 1;
      const down = before.state === 'down' || bad >= BAD_UNTIL_DOWN;
      return { state: down ? 'down' : 'degraded', reasons, bad, good: 0 };
    }
  }
}

/** Whether the next ping may change the state, so that it had better come soon. */
export function isUnsettled({ state, good, bad }: PingReach): boolean {
  return (state === 'down' && good > 0) || (state === 'degraded' && bad > 0);
}

const NOT_WATCHED: TrunkHealthReason = {
  code: 'not_watched',
  message: 'options_ping and register are both off: nobody looks',
};

/**
 * What pings and registration say together. A carrier that does not accept our credentials will not take our calls either;
 * one that has only not registered us may.
 * @param reach null where the trunk is not pinged
 */
export function combinedHealth(
  reach: PingReach | null,
  registration: TrunkRegistration | null,
): Pick<TrunkHealth, 'state' | 'reasons'> {
  if (reach === null && registration === null) return { state: 'unknown', reasons: [NOT_WATCHED] };
  const { state: reached, reasons } = reach ?? NOT_PINGED;
  const registered = registration === null ? null : registrationHealth(registration, reach === null);
  if (registered === null) return { state: reached, reasons };
  const both = [...reasons, ...registered.reasons];
  if (reach === null || RANK[registered.state] > RANK[reached]) return { state: registered.state, reasons: both };
  return { state: reached, reasons: both };
}

const RANK: Readonly<Record<TrunkHealthState, number>> = { unknown: 0, healthy: 1, degraded: 2, down: 3 };

/** Null while it says nothing yet. @param alone nothing else tells whether the carrier is there */
function registrationHealth(
  { state, expiresAtMs, lastStatus, lastError }: TrunkRegistration,
  alone: boolean,
): Pick<TrunkHealth, 'state' | 'reasons'> | null {
  const message = `registration: ${lastError ?? 'failed'}`;
  switch (state) {
    case 'registering':
      return null;
    case 'registered':
      return alone ? { state: 'healthy', reasons: [] } : null;
    case 'failed': {
      const lost = alone && expiresAtMs === null;
      return { state: lost ? 'down' : 'degraded', reasons: [{ code: 'registration_failed', message }] };
    }
    case 'refused': {
      const unknown = alone || lastStatus === 401 || lastStatus === 407;
      return { state: unknown ? 'down' : 'degraded', reasons: [{ code: 'registration_refused', message }] };
    }
  }
}
