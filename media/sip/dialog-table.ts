import { tagOfBranch } from './message/branch';
import { detached } from './message/message';
import { isRfc2543 } from './message/validation';

import type { Flow } from './edge/flow';
import type { SipRequest, SipResponse } from './message/message';
import type { ReplaceableDialog } from './replaced-dialog';

/** What the endpoint hands messages to. */
export interface RoutedDialog {
  readonly sipCallId: string;
  /** Our tag, unique in the world: To of the requests for it, From of the responses. */
  readonly localTag: string;
  /** @param key identifies the server transaction, see `transactionKey` */
  receiveRequest(request: SipRequest, key: string, flow: Flow): void;
  receiveResponse(response: SipResponse, flow: Flow): void;
  /** Whether requests for it may come from this address. Without this from any. */
  admits?(address: string): boolean;
  /** For an INVITE that names it in Replaces; null when it has no dialog with this tag of the peer's. Without this never. */
  asReplaced?(remoteTag: string): ReplaceableDialog | null;
  dispose(): void;
}

interface Entry {
  readonly invite: string | null;
  readonly identity: string | null;
}

/** Dialogs of an endpoint by what their messages carry. A dialog stays until its last transaction has ended. */
export class DialogTable {
  readonly #entries = new Map<RoutedDialog, Entry>();
  readonly #byTag = new Map<string, RoutedDialog>();
  readonly #byInvite = new Map<string, RoutedDialog>();
  readonly #identities = new Map<string, RoutedDialog>();

  get size(): number {
    return this.#entries.size;
  }

  all(): RoutedDialog[] {
    return [...this.#entries.keys()];
  }

  addInbound(dialog: RoutedDialog, request: SipRequest, key: string): void {
    // They outlive the call.
    const entry = { invite: detached(key), identity: detached(requestIdentity(request)) };
    this.#add(dialog, entry);
    this.#byInvite.set(entry.invite, dialog);
    this.#identities.set(entry.identity, dialog);
  }

  addOutbound(dialog: RoutedDialog): void {
    this.#add(dialog, { invite: null, identity: null });
  }

  /** The dialog that owns a tag of ours: To of its requests. */
  byTag(callId: string, localTag: string): RoutedDialog | undefined {
    const dialog = this.#byTag.get(localTag);
    return dialog?.sipCallId === callId ? dialog : undefined;
  }

  /** By the branch of the request; From and Call-ID may be missing, or unreadable, but not those of another dialog. */
  ofResponse({ branch, callId, fromTag }: SipResponse): RoutedDialog | undefined {
    const dialog = this.#byTag.get(tagOfBranch(branch));
    if (dialog === undefined || (callId !== '' && callId !== dialog.sipCallId)) return undefined;
    return fromTag === '' || fromTag === dialog.localTag ? dialog : undefined;
  }

  byInvite(key: string): RoutedDialog | undefined {
    return this.#byInvite.get(key);
  }

  isMerged(request: SipRequest): boolean {
    return this.#identities.has(requestIdentity(request));
  }

  /** Under all that its messages carry, `by` is in its place from now on. */
  replace(dialog: RoutedDialog, by: RoutedDialog): void {
    const entry = this.#entries.get(dialog);
    if (entry === undefined) return;
    this.#entries.delete(dialog);
    this.#add(by, entry);
    if (entry.invite !== null) this.#byInvite.set(entry.invite, by);
    if (entry.identity !== null) this.#identities.set(entry.identity, by);
  }

  remove(dialog: RoutedDialog): void {
    const entry = this.#entries.get(dialog);
    if (entry === undefined) return;
    this.#entries.delete(dialog);
    this.#byTag.delete(dialog.localTag);
    if (entry.invite !== null) this.#byInvite.delete(entry.invite);
    if (entry.identity !== null) this.#identities.delete(entry.identity);
  }

  #add(dialog: RoutedDialog, entry: Entry): void {
    this.#entries.set(dialog, entry);
    this.#byTag.set(dialog.localTag, dialog);
  }
}

function requestIdentity(request: SipRequest): string {
  return `${request.callId} ${request.fromTag} ${request.cseq?.number ?? 0}`;
}

/**
 * Identifies the server transaction of a request: branch, sent-by and method, ACK and CANCEL under their INVITE
 * (RFC 3261 §17.2.3); for clients of RFC 2543, which have no unique branch, what that RFC compares.
 */
export function transactionKey(request: SipRequest): string {
  const method = request.method === 'ACK' || request.method === 'CANCEL' ? 'INVITE' : request.method;
  const via = request.topVia;
  if (via === null || isRfc2543(request)) {
    return `2543 ${method} ${request.callId} ${request.fromTag} ${request.cseq?.number ?? 0} ${via?.host ?? ''}`;
  }
  return `${via.params.get('branch') ?? ''} ${via.host}:${via.port ?? ''} ${method}`;
}
