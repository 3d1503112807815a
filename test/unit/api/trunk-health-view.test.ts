import { trunkHealthView } from '../../../api/trunk-health-view';
import type { StoredTrunkHealth } from '../../../store/repositories/trunk-health-repository';

const NOW = Date.UTC(2026, 0, 1);
const trunk = { createdAt: new Date(NOW - 3_600_000), optionsPing: true, register: true };
const stored: StoredTrunkHealth = {
  state: 'healthy',
  reasons: [],
  sinceMs: NOW - 60_000,
  checkedAtMs: NOW - 10_000,
  rttMs: 12,
  node: 'n1',
  registration: { state: 'registered', expiresAtMs: NOW + 1_000, lastStatus: 200, lastError: null },
};

describe('health of a trunk in an answer', () => {
  it('is what its node has seen', () => {
    expect(trunkHealthView(stored, trunk, NOW)).toEqual({
      state: 'healthy',
      since: '2025-12-31T23:59:00.000Z',
      checked_at: '2025-12-31T23:59:50.000Z',
      reasons: [],
      rtt_ms: 12,
      node: 'n1',
      registration: { state: 'registered', expires_at: '2026-01-01T00:00:01.000Z', last_status: 200, last_error: null },
    });
  });

  it('stands for a moment without a node, and is unknown after that', () => {
    expect(trunkHealthView({ ...stored, node: null }, trunk, NOW).state).toBe('healthy');
    const stale = trunkHealthView({ ...stored, node: null, checkedAtMs: NOW - 91_000 }, trunk, NOW);
    expect([stale.state, stale.reasons.map(({ code }) => code)]).toEqual(['unknown', ['not_checked']]);
  });

  it('is unknown before anybody has looked, and has no registration where none is asked for', () => {
    expect(trunkHealthView(null, trunk, NOW)).toMatchObject({ state: 'unknown', checked_at: null, node: null });
    expect(trunkHealthView(stored, { ...trunk, register: false }, NOW).registration).toBeNull();
    const pending = trunkHealthView({ ...stored, registration: null }, trunk, NOW).registration;
    expect(pending?.state).toBe('registering');
  });
});
