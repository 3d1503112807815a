import { sendResponse } from './edge/routing';
import { detached } from './message/message';
import { buildResponse } from './message/serialiser';

import type { SipIdentity } from './auth/identity';
import type { DialogContext } from './dialog-context';
import type { RoutedDialog } from './dialog-table';
import type { Flow } from './edge/flow';
import type { FinishedTransaction } from './finished-transactions';
import type { SipRequest } from './message/message';
import type { ReplaceableDialog } from './replaced-dialog';

interface EndedDialogOptions {
  readonly context: DialogContext;
  readonly sipCallId: string;
  readonly localTag: string;
  /** Of the peer; null where there was never a dialog with it. */
  readonly remoteTag: string | null;
  /** Whose call it was; null: nobody's. */
  readonly orgId: string | null;
  /** Whence its requests may come; default: from anywhere. */
  readonly sources?: SipIdentity['sources'];
  readonly transactions: readonly FinishedTransaction[];
}

/**
 * A dialog that came in and is over, as all that is left of it: its tags, and the final responses that repeated requests
 * get once more until timers I, J and L run out (RFC 3261 §17.2, RFC 6026 §7.1). Nothing of the call hangs on it.
 */
export class EndedDialog implements RoutedDialog {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly #options: EndedDialogOptions;

  constructor(options: EndedDialogOptions) {
    this.sipCallId = detached(options.sipCallId);
    this.localTag = options.localTag;
    const { remoteTag } = options;
    this.#options = { ...options, sipCallId: this.sipCallId, remoteTag: remoteTag && detached(remoteTag) };
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    const { method } = request;
    if (method === 'ACK') return;
    const repeated = this.#options.transactions.find((transaction) => transaction.key === key);
    // A CANCEL after the final response has no effect, but for its answer (RFC 3261 §9.2).
    if (method === 'CANCEL') this.#answer(request, flow, repeated === undefined ? 481 : 200);
    else if (repeated === undefined) this.#answer(request, flow, 481);
    else if (repeated.response !== null) this.#send(request, flow, repeated.status, repeated.response);
  }

  /** Late copies of answers to requests of ours (timer K). */
  receiveResponse(): void {}

  admits(address: string): boolean {
    return this.#options.sources?.has(address) ?? true;
  }

  /** As one that is over (RFC 3891 §3). */
  asReplaced(remoteTag: string): ReplaceableDialog | null {
    const { remoteTag: own, orgId } = this.#options;
    // A peer of RFC 2543 has no tag, which Replaces calls 0.
    return own !== null && (remoteTag === own || (remoteTag === '0' && own === '')) ? { orgId, state: 'over' } : null;
  }

  dispose(): void {
    this.#options.context.onIdle(this);
  }

  #answer(request: SipRequest, flow: Flow, status: number): void {
    const { context, localTag } = this.#options;
    const { bytes } = buildResponse(request, status, { toTag: localTag, server: context.product });
    this.#send(request, flow, status, bytes);
  }

  #send(request: SipRequest, flow: Flow, status: number, response: string | Buffer): void {
    const { counters, edge } = this.#options.context;
    counters.message('out', request.method, status);
    const bytes = typeof response === 'string' ? Buffer.from(response, 'latin1') : response;
    sendResponse(edge, flow, { via: request.topVia, bytes }).catch(() => {
      // The peer repeats its request once more when it still wants the answer.
    });
  }
}
