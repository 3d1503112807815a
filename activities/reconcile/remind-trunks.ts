import type { Logger } from '../../ops/logger';
import type { TrunkProvisioningRepository } from '../../store/repositories/trunk-provisioning-repository';
import type { TrunkWorkflows } from '../../workflows/client/trunk-workflows';

/** Of one pass: an upgrade begins a workflow for every trunk that was there before. */
const AT_ONCE = 200;
const PARALLEL = 10;

export interface TrunkReminderDeps {
  readonly provisioning: Pick<TrunkProvisioningRepository, 'claimDue'>;
  readonly trunks: Pick<TrunkWorkflows, 'signalChange'>;
  readonly logger: Logger;
}

/**
 * Tells the workflows of trunks what they may not have heard: who changed the trunk died before telling, or Temporal was
 * away. Never rejects: what could not be told is due again a little later.
 */
export async function remindTrunks({ provisioning, trunks, logger }: TrunkReminderDeps): Promise<void> {
  try {
    const due = await provisioning.claimDue(AT_ONCE);
    for (let at = 0; at < due.length; at += PARALLEL) {
      await Promise.all(due.slice(at, at + PARALLEL).map((trunk) => trunks.signalChange(trunk)));
    }
    if (due.length > 0) logger.info({ trunks: due.length }, 'trunk workflows told again of changes');
  } catch (error) {
    logger.warn({ err: error }, 'trunk workflows are told of changes later');
  }
}
