import type { Counter, Histogram } from 'prom-client';
import type { TransferRepository } from '../../store/repositories/transfer-repository';
import type { TransferActivities } from '../../workflows/transfer/activities';

export interface TransferActivityDeps {
  readonly transfers: TransferRepository;
  readonly finished: Counter<'mode' | 'outcome'>;
  readonly seconds: Histogram<'mode'>;
}

const SECONDS = 0.001;

/** The records of transfers, and how many there were: each is counted once, however often it is told. */
export function createTransferActivities({ transfers, finished, seconds }: TransferActivityDeps): TransferActivities {
  return {
    async transferRequested({ mode, ...transfer }) {
      await transfers.requested(transfer, mode);
    },

    async transferFinished({ result, ...transfer }) {
      const { mode, outcome, durationMs } = result;
      if (!(await transfers.finished(transfer, result))) return;
      finished.inc({ mode, outcome });
      seconds.observe({ mode }, durationMs * SECONDS);
    },
  };
}
