import { InviteServerTransaction, SessionState, SignalingState, TransactionState } from 'sip.js/lib/core/index.js';

import type { SessionDialog } from 'sip.js/lib/core/index.js';
import type { DialogUserAgentCore } from './sipjs-adapter';

/** Whose INVITE has no final answer yet, or no ACK of it: no other may be sent (RFC 3261 §14). */

type Whose = 'ours' | 'theirs';

/** What another INVITE of the peer meets; null when it may be answered. */
export function openExchange(dialog: SessionDialog, firstInvite: Whose): Whose | null {
  if (dialog.reinviteUserAgentClient !== undefined) return 'ours';
  if (dialog.reinviteUserAgentServer !== undefined) return 'theirs';
  // A re-INVITE may overtake the ACK of the first INVITE (RFC 5407 §3.1.5), unless that has the answer to our offer.
  const unacknowledged = dialog.sessionState === SessionState.AckWait;
  return dialog.early || (unacknowledged && dialog.signalingState !== SignalingState.Stable) ? firstInvite : null;
}

/** One of ours may be sent: none of the peer's waits for its ACK, a refused one neither. */
export function mayInvite(dialog: SessionDialog, core: DialogUserAgentCore): boolean {
  if (dialog.sessionState !== SessionState.Confirmed) return false;
  if (dialog.reinviteUserAgentClient !== undefined || dialog.reinviteUserAgentServer !== undefined) return false;
  return ![...core.userAgentServers.values()].some(
    ({ transaction }) =>
      transaction instanceof InviteServerTransaction &&
      (transaction.state === TransactionState.Proceeding || transaction.state === TransactionState.Completed),
  );
}

/** RFC 3261 §14.2: by chance, so that who comes again meets nothing. */
export function retryAfterLine(): string {
  return `Retry-After: ${Math.floor(Math.random() * 11)}`;
}
