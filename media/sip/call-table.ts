import { isRfc2543 } from './message/validation';

import type { SipCall } from './call';
import type { SipRequest } from './message/message';

interface Entry {
  readonly tag: string;
  readonly invite: string | null;
  readonly identity: string | null;
}

/** Calls of an endpoint by what their messages carry. A call stays until its last transaction has ended. */
export class CallTable {
  readonly #entries = new Map<SipCall, Entry>();
  readonly #byTag = new Map<string, SipCall>();
  readonly #byInvite = new Map<string, SipCall>();
  readonly #identities = new Map<string, SipCall>();

  get size(): number {
    return this.#entries.size;
  }

  all(): SipCall[] {
    return [...this.#entries.keys()];
  }

  addInbound(call: SipCall, request: SipRequest, key: string): void {
    const entry = { tag: tagKey(call.sipCallId, call.localTag), invite: key, identity: requestIdentity(request) };
    this.#add(call, entry);
    this.#byInvite.set(key, call);
    this.#identities.set(entry.identity, call);
  }

  addOutbound(call: SipCall): void {
    this.#add(call, { tag: tagKey(call.sipCallId, call.localTag), invite: null, identity: null });
  }

  /** The call that owns a tag of ours: To of requests, From of responses. */
  byTag(callId: string, localTag: string): SipCall | undefined {
    return localTag === '' ? undefined : this.#byTag.get(tagKey(callId, localTag));
  }

  byInvite(key: string): SipCall | undefined {
    return this.#byInvite.get(key);
  }

  isMerged(request: SipRequest): boolean {
    return this.#identities.has(requestIdentity(request));
  }

  remove(call: SipCall): void {
    const entry = this.#entries.get(call);
    if (entry === undefined) return;
    this.#entries.delete(call);
    this.#byTag.delete(entry.tag);
    if (entry.invite !== null) this.#byInvite.delete(entry.invite);
    if (entry.identity !== null) this.#identities.delete(entry.identity);
  }

  #add(call: SipCall, entry: Entry): void {
    this.#entries.set(call, entry);
    this.#byTag.set(entry.tag, call);
  }
}

function tagKey(callId: string, tag: string): string {
  return `${callId} ${tag}`;
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
