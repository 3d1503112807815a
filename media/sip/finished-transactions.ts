import {
  InviteServerTransaction,
  NonInviteClientTransaction,
  NonInviteServerTransaction,
  TransactionState,
} from 'sip.js/lib/core/index.js';

import { detached } from './message/message';
import { lastResponseOf } from './sipjs-internals';
import { TIMER_I_MS, TIMER_J_MS, TIMER_L_MS } from './timers';

import type { UserAgentClient, UserAgentServer } from 'sip.js/lib/core/index.js';
import type { DialogUserAgentCore } from './sipjs-adapter';

/** A request of the peer that has its final response. */
export interface FinishedTransaction {
  /** See `transactionKey`. */
  readonly key: string;
  readonly status: number;
  /** What a repetition gets, one character per byte: a buffer would keep its whole pool alive. Null: nothing. */
  readonly response: string | null;
  /** For how much longer, at most. */
  readonly lastsMs: number;
}

/**
 * What the core of a dialog that is over still owes to repeated requests. Null as long as more is left in it: a request
 * without its final response, of either side, a refusal without its ACK (timer G), an INVITE of ours, which has to
 * acknowledge each 2xx and each refusal that comes.
 */
export function finishedTransactions(core: DialogUserAgentCore): readonly FinishedTransaction[] | null {
  if (core.dialogs.size > 0) return null;
  for (const client of core.userAgentClients.values()) if (!isAnswered(client as UserAgentClient)) return null;
  const finished: FinishedTransaction[] = [];
  for (const [key, server] of core.userAgentServers) {
    const transaction = finishedTransaction(server as UserAgentServer);
    if (transaction === null) return null;
    finished.push({ ...transaction, key: detached(key) });
  }
  return finished;
}

function isAnswered({ transaction }: UserAgentClient): boolean {
  return transaction instanceof NonInviteClientTransaction && transaction.state === TransactionState.Completed;
}

function finishedTransaction({ transaction }: UserAgentServer): Omit<FinishedTransaction, 'key'> | null {
  const { state } = transaction;
  const last = lastResponseOf(transaction);
  if (last === undefined) return null;
  const { status } = last;
  if (transaction instanceof InviteServerTransaction) {
    // Both swallow what is repeated: of a 2xx the ACK has come, or the BYE that says the same; of a refusal the ACK.
    if (state === TransactionState.Accepted) return { status, response: null, lastsMs: TIMER_L_MS };
    if (state === TransactionState.Confirmed) return { status, response: null, lastsMs: TIMER_I_MS };
    return null;
  }
  if (!(transaction instanceof NonInviteServerTransaction) || state !== TransactionState.Completed) return null;
  return { status, response: last.bytes.toString('latin1'), lastsMs: TIMER_J_MS };
}
