import { sealDetails } from '../../store/call-details';
import type { OutboundTrunk } from '../../store/entities/outbound-trunk';
import type { PhoneNumber } from '../../store/entities/phone-number';
import { codeCallId, uuidV7 } from '../../store/ids';
import { AuditRepository } from '../../store/repositories/audit-repository';
import { NumberVerificationRepository } from '../../store/repositories/number-verification-repository';
import type { OutboundTrunkRepository } from '../../store/repositories/outbound-trunk-repository';
import type { SecretBox } from '../../store/secrets';
import type { VerificationRound } from '../../contract/number-verification';
import type { OutboundCallInput } from '../../workflows/call/input';
import type { NumberVerificationActivities, RoundEnd } from '../../workflows/numbers/activities';
import { endLostRounds } from './lost-rounds';
import type { LostRoundDeps } from './lost-rounds';
import { noteEnd } from './round-note';

const RING_SECONDS = 45;
/** The code twice takes about 30 s; whoever puts us on hold has a little longer. */
const MAX_SECONDS = 120;

export interface VerificationActivityDeps extends LostRoundDeps {
  readonly verifications: Pick<NumberVerificationRepository, 'findPending'>;
  readonly trunks: Pick<OutboundTrunkRepository, 'find'>;
  readonly secrets: Pick<SecretBox, 'seal'>;
}

export function createVerificationActivities(deps: VerificationActivityDeps): NumberVerificationActivities {
  const endRound = async (round: VerificationRound, end: RoundEnd): Promise<PhoneNumber['status'] | null> =>
    deps.config.transaction(async (tx) => {
      const session = { manager: tx.manager };
      const number = await new NumberVerificationRepository(session).settle(tx, round, end);
      if (number === null) return null;
      await noteEnd(new AuditRepository(session), number);
      return number.status;
    });

  return {
    async prepareCodeCall(round) {
      const number = await deps.verifications.findPending(round);
      if (number === null) return { call: null, status: null };
      const { orgId, trunkId } = number;
      const trunk = trunkId === null ? null : await deps.trunks.find(orgId, trunkId);
      if (trunk !== null) return { call: codeCall(deps.secrets, round, number, trunk) };
      const status = await endRound(round, { status: 'failed', failure: 'trunk_gone' });
      return { call: null, status: status === 'pending' ? null : status };
    },

    endRound,

    endLostRounds: (winner) => endLostRounds(deps, winner),
  };
}

function codeCall(
  secrets: Pick<SecretBox, 'seal'>,
  round: VerificationRound,
  number: PhoneNumber,
  trunk: Pick<OutboundTrunk, 'id' | 'callerNumber'>,
): OutboundCallInput {
  const { numberId, n, orgId, expiresAtMs } = round;
  const callId = codeCallId(round);
  const nowMs = Date.now();
  const details = {
    from: trunk.callerNumber,
    to: number.phoneNumber,
    firstMessage: null,
    metadata: { verifies_phone_number_id: numberId },
  };
  return {
    direction: 'outbound',
    callId,
    orgId,
    agentId: null,
    codeOf: { numberId, n },
    trunkId: trunk.id,
    sessionId: uuidV7(nowMs),
    sealed: sealDetails(secrets, { callId, orgId }, details),
    createdAtMs: nowMs,
    // As long as the code is worth something; what is not dialled for so long is undialled for good.
    acceptByMs: expiresAtMs,
    dialByMs: expiresAtMs,
    maxDurationSeconds: MAX_SECONDS,
    ringTimeoutSeconds: RING_SECONDS,
  };
}
