import type { OutboundTrunkRecord } from '../store/repositories/outbound-trunk-repository';
import type { StoredTrunkHealth } from '../store/repositories/trunk-health-repository';
import type { TrunkHealthResource } from './schemas/outbound-trunk';

/** Longer than a trunk is without an owner when its node is lost. */
const STALE_MS = 90_000;

/** What was seen of a trunk counts as long as somebody looks; a failure of the media nodes is none of the carrier's. */
export function trunkHealthView(
  health: StoredTrunkHealth | null,
  trunk: Pick<OutboundTrunkRecord, 'createdAt' | 'optionsPing' | 'register'>,
  nowMs: number,
): TrunkHealthResource {
  const nothing = { reasons: [], rtt_ms: null, node: null, registration: null, checked_at: null };
  if (health === null) return { ...nothing, state: 'unknown', since: trunk.createdAt.toISOString() };
  const { state, reasons, sinceMs, checkedAtMs, rttMs, node, registration } = health;
  const seen = {
    checked_at: isoOrNull(checkedAtMs),
    rtt_ms: rttMs,
    node,
    registration: trunk.register ? registrationView(registration) : null,
  };
  const lastSeenMs = checkedAtMs ?? sinceMs;
  if (node === null && nowMs - lastSeenMs > STALE_MS) {
    const message = 'no media node looks after the trunk now';
    const since = new Date(lastSeenMs).toISOString();
    return { ...seen, state: 'unknown', since, reasons: [{ code: 'not_checked', message }] };
  }
  return { ...seen, state, since: new Date(sinceMs).toISOString(), reasons: [...reasons] };
}

function registrationView(registration: StoredTrunkHealth['registration']): TrunkHealthResource['registration'] {
  if (registration === null) return { state: 'registering', expires_at: null, last_status: null, last_error: null };
  const { state, expiresAtMs, lastStatus, lastError } = registration;
  return { state, expires_at: isoOrNull(expiresAtMs), last_status: lastStatus, last_error: lastError };
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
