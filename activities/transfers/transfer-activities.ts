import type { Counter, Histogram } from 'prom-client';
import { planTransfer, sealPlan } from '../../store/dialling/transfer-plan';
import type { TransferOrder, TransferPlanDeps } from '../../store/dialling/transfer-plan';
import { PlanRefusal } from '../../store/dialling/plan-refusal';
import type { CallRepository } from '../../store/repositories/call-repository';
import type { SecretBox } from '../../store/secrets';
import type { TransferRepository } from '../../store/repositories/transfer-repository';
import type { TransferActivities, WantedTransfer } from '../../workflows/transfer/activities';

export interface TransferActivityDeps {
  readonly calls: Pick<CallRepository, 'find'>;
  readonly plans: TransferPlanDeps;
  readonly secrets: Pick<SecretBox, 'seal'>;
  readonly transfers: TransferRepository;
  readonly finished: Counter<'mode' | 'outcome'>;
  readonly seconds: Histogram<'mode'>;
}

const SECONDS = 0.001;

/** The records of transfers, and how many there were: each is counted once, however often it is told. */
export function createTransferActivities(deps: TransferActivityDeps): TransferActivities {
  const { transfers, finished, seconds, calls, plans, secrets } = deps;
  return {
    async planTransfer({ callId, orgId, transferId, ...wish }) {
      const call = await calls.find(orgId, callId);
      if (call === null) throw new Error('the call has no row to plan a transfer by');
      try {
        const plan = await planTransfer(plans, call, orderOf(wish));
        return { ok: true, ...sealPlan(secrets, call, transferId, plan) };
      } catch (error) {
        // The words of a refusal are for people who ask; a history holds the code alone.
        if (error instanceof PlanRefusal) return { ok: false, code: error.code };
        throw error;
      }
    },

    async transferRefused(refused) {
      await transfers.refused(refused);
    },

    async transferRequested({ mode, by, ...transfer }) {
      await transfers.requested(transfer, { mode, by });
    },

    async transferFinished({ result, ...transfer }) {
      const { mode, outcome, durationMs } = result;
      if (!(await transfers.finished(transfer, result))) return;
      finished.inc({ mode, outcome });
      seconds.observe({ mode }, durationMs * SECONDS);
    },
  };
}

function orderOf({ by, destinationId }: Pick<WantedTransfer, 'by' | 'destinationId'>): TransferOrder {
  if (by === 'handoff' || by === 'failover') return { to: { kind: by } };
  return { to: { kind: 'destination', id: destinationId ?? '' } };
}
