import type { ConfigRepository } from '../../store/repositories/config-repository';
import type { NumberVerificationRepository } from '../../store/repositories/number-verification-repository';
import type { NumberWorkflows } from '../../workflows/client/number-workflows';
import { endLostRounds } from './lost-rounds';

export interface VerificationSweepDeps {
  readonly config: Pick<ConfigRepository, 'transaction'>;
  readonly verifications: Pick<NumberVerificationRepository, 'pending'>;
  readonly workflows: Pick<NumberWorkflows, 'begin' | 'over' | 'running'>;
}

/**
 * What a process that was killed has left between a number's record and its workflow: rounds without a workflow get one,
 * and those of a number that somebody else has verified by now fail. Rejects while a server is away; harmless to repeat.
 */
export async function sweepVerifications({ config, verifications, workflows }: VerificationSweepDeps): Promise<void> {
  await endLostRounds({ config, workflows }, null);
  const pending = await verifications.pending();
  if (pending.length === 0) return;
  const running = await workflows.running();
  for (const round of pending) if (!running.has(round.numberId)) await workflows.begin(round);
}
