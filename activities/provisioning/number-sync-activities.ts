import type { ConfigTransaction } from '../../store/config-transaction';
import { StoreError } from '../../store/errors';
import { uuidV8 } from '../../store/ids';
import type { StoreSession } from '../../store/organisation-scope';
import { AuditRepository } from '../../store/repositories/audit-repository';
import { ConfigRepository } from '../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../store/repositories/inbound-trunk-repository';
import { PhoneNumberRepository } from '../../store/repositories/phone-number-repository';
import type { SecretBox } from '../../store/secrets';
import type { NumberSyncActivities } from '../../workflows/numbers/sync/activities';
import type { NumberSyncCounts, NumberSyncOutcome } from '../../workflows/numbers/sync/messages';

export interface NumberSyncActivityDeps {
  readonly session: StoreSession;
  readonly secrets: SecretBox;
}

type SyncRequest = Parameters<NumberSyncActivities['syncNumbers']>[0];

export function createNumberSyncActivities({ session, secrets }: NumberSyncActivityDeps): NumberSyncActivities {
  const config = new ConfigRepository(session);

  return {
    async syncNumbers(request) {
      try {
        return await config.transaction((tx) => syncIn(tx, secrets, request));
      } catch (error) {
        if (error instanceof StoreError && error.code === 'not_found') return { outcome: 'no_trunk' };
        throw error;
      }
    },
  };
}

async function syncIn(tx: ConfigTransaction, secrets: SecretBox, request: SyncRequest): Promise<NumberSyncOutcome> {
  const { orgId, syncId, keyId, requestId } = request;
  const own: StoreSession = { manager: tx.manager };
  const audit = new AuditRepository(own);
  // The numbers before the trunk, as whoever deletes a number takes them.
  const verified = (await new PhoneNumberRepository(own).verified(tx, orgId)).map(({ phoneNumber }) => phoneNumber);
  let before: readonly string[] = [];
  const trunk = await new InboundTrunkRepository(own, secrets).changeNumbers(tx, orgId, (listed) => {
    before = listed;
    return verified;
  });
  // The first try of it holds the trunk's row until its note is there.
  const noteId = uuidV8('number-sync', orgId, syncId);
  const done = await audit.find(orgId, noteId);
  const counts = done === null ? difference(before, verified) : countsOf(done.after);
  if (done === null) {
    await audit.add({
      id: noteId,
      orgId,
      keyId,
      requestId,
      action: 'sync_numbers',
      resource: 'inbound_trunk',
      resourceId: trunk.id,
      before: { phone_numbers: before },
      after: { phone_numbers: verified, ...counts },
    });
  }
  return { outcome: 'synced', trunkId: trunk.id, ...counts };
}

function difference(before: readonly string[], after: readonly string[]): NumberSyncCounts {
  const [old, current] = [new Set(before), new Set(after)];
  return {
    added: after.filter((number) => !old.has(number)).length,
    removed: before.filter((number) => !current.has(number)).length,
  };
}

function countsOf(after: Readonly<Record<string, unknown>> | null): NumberSyncCounts {
  return { added: Number(after?.['added'] ?? 0), removed: Number(after?.['removed'] ?? 0) };
}
