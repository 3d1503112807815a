import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import { retry } from '../../ops/retry';
import type { StoreSession } from '../../store/organisation-scope';
import { AuditRepository } from '../../store/repositories/audit-repository';
import { ConfigRepository } from '../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../store/repositories/inbound-trunk-repository';
import type { MediaNodeRepository, NodesActing } from '../../store/repositories/media-node-repository';
import type { TrunkProvisioningRepository } from '../../store/repositories/trunk-provisioning-repository';
import type { SecretBox } from '../../store/secrets';
import type { TrunkActivities } from '../../workflows/trunk/activities';

/** A node hears of a change by NOTIFY and has loaded it some milliseconds later; without that it looks twice a second. */
const LOOK_AGAIN = { pauseMs: 20, maximumPauseMs: 500, limitMs: 5_000 };

export interface TrunkActivityDeps {
  readonly session: StoreSession;
  readonly secrets: SecretBox;
  readonly provisioning: TrunkProvisioningRepository;
  readonly nodes: MediaNodeRepository;
}

/** Each may be repeated, also while an earlier try of it is still under way. */
export function createTrunkActivities(deps: TrunkActivityDeps): TrunkActivities {
  const { session, secrets, provisioning, nodes } = deps;
  return {
    async confirmTrunk({ trunkId }) {
      const trunk = await provisioning.find(trunkId);
      if (trunk === null) return null;
      const { version, removed, previousPasswordUntil } = trunk;
      const { live } = await untilAllActOn(nodes, version);
      await provisioning.confirm(trunkId, version);
      const graceUntilMs = previousPasswordUntil?.getTime() ?? null;
      return { version, nodes: live, atMs: Date.now(), removed, graceUntilMs };
    },

    async erasePreviousPassword({ orgId, trunkId }) {
      const until = await new ConfigRepository(session).transaction(async (tx) => {
        const own = { manager: tx.manager };
        const later = await new InboundTrunkRepository(own, secrets).erasePreviousPassword(tx, orgId, trunkId);
        const erased = tx.changedIds('inbound_trunk').length > 0;
        const note = { action: 'erase_previous_password', resource: 'inbound_trunk', resourceId: trunkId };
        if (erased) await new AuditRepository(own).add({ orgId, keyId: null, requestId: null, ...note });
        return later;
      });
      return until?.getTime() ?? null;
    },
  };
}

/** Where no node lives, nobody is behind: one that begins loads everything before it takes a call. */
async function untilAllActOn(nodes: MediaNodeRepository, version: number): Promise<NodesActing> {
  return await retry(
    async () => {
      const acting = await nodes.acting(version, NODE_SILENCE_MS);
      if (acting.acting === acting.live) return acting;
      throw ApplicationFailure.create({
        message: `${acting.acting} of ${acting.live} media nodes act on version ${version}`,
        type: 'nodes_behind',
      });
    },
    { ...LOOK_AGAIN, signal: Context.current().cancellationSignal },
  );
}
