import { conflict } from '../errors';
import type { ApiStore } from '../store';

/**
 * Before a trunk's deletion and its transaction: one that waits for a second connection can take the last one from
 * itself.
 * @throws ApiError 409 `trunk_has_active_calls`
 */
export async function assertIdle(store: Pick<ApiStore, 'calls'>, orgId: string, trunkId: string): Promise<void> {
  const active = await store.calls.countOpenOnTrunk(orgId, trunkId);
  if (active === 0) return;
  throw conflict('trunk_has_active_calls', 'The trunk has active calls; ?force=true deletes it nevertheless', {
    active_calls: active,
  });
}
