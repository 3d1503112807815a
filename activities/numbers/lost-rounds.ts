import type { NumberRound } from '../../contract/number-verification';
import { AuditRepository } from '../../store/repositories/audit-repository';
import type { ConfigRepository } from '../../store/repositories/config-repository';
import { NumberVerificationRepository } from '../../store/repositories/number-verification-repository';
import type { NumberWorkflows } from '../../workflows/client/number-workflows';
import { noteEnd } from './round-note';

export interface LostRoundDeps {
  readonly config: Pick<ConfigRepository, 'transaction'>;
  readonly workflows: Pick<NumberWorkflows, 'over'>;
}

/**
 * Whoever was verifying a number too that somebody has verified by now has lost it: the round fails, a code call that
 * rings is hung up. @param winner null: of all numbers
 */
export async function endLostRounds(
  { config, workflows }: LostRoundDeps,
  winner: Pick<NumberRound, 'numberId'> | null,
): Promise<void> {
  const lost = await config.transaction(async (tx) => {
    const session = { manager: tx.manager };
    const failed = await new NumberVerificationRepository(session).failTaken(tx, winner?.numberId ?? null);
    for (const number of failed) await noteEnd(new AuditRepository(session), number);
    return failed;
  });
  for (const { id: numberId, round: n } of lost) await workflows.over({ numberId, n }, true);
}
