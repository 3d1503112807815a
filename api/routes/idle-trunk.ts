import { conflict } from '../errors';
import type { OrgStore } from '../store';

/**
 * Before a trunk's deletion.
 * @throws ApiError 409 `trunk_has_active_calls`
 */
export async function assertIdle(org: Pick<OrgStore, 'calls'>, orgId: string, trunkId: string): Promise<void> {
  const active = await org.calls.countOpenOnTrunk(orgId, trunkId);
  if (active === 0) return;
  throw conflict('trunk_has_active_calls', 'The trunk has active calls; ?force=true deletes it nevertheless', {
    active_calls: active,
  });
}
