import type { DataSource } from 'typeorm';
import { createNumberSyncActivities } from '../../activities/provisioning/number-sync-activities';
import type { TrunkRequests } from '../../api/trunk-requests';
import { retry } from '../../ops/retry';
import { wasInTheWay } from '../../store/errors';
import type { SecretBox } from '../../store/secrets';
import type { TrunkChange } from '../../workflows/client/trunk-workflows';
import type { NumberSyncActivities } from '../../workflows/numbers/sync/activities';
import type { NumberSyncInput, NumberSyncRequest } from '../../workflows/numbers/sync/messages';

type Outcome = Awaited<ReturnType<TrunkRequests['sync']>>;

/** Syncs numbers as their workflow would; keeps what trunks' workflows are told. */
export class FakeTrunkRequests implements Pick<TrunkRequests, 'sync' | 'tell'> {
  readonly told: TrunkChange[] = [];
  readonly #activities: NumberSyncActivities;

  constructor(dataSource: DataSource, secrets: SecretBox) {
    this.#activities = createNumberSyncActivities({ session: dataSource, secrets });
  }

  tell(changes: readonly TrunkChange[]): void {
    this.told.push(...changes);
  }

  sync({ orgId }: NumberSyncInput, request: NumberSyncRequest): Promise<Outcome> {
    const once = (): Promise<Outcome> => this.#activities.syncNumbers({ ...request, orgId });
    return retry(once, { pauseMs: 0, maximumFailures: 5, passes: wasInTheWay });
  }
}
