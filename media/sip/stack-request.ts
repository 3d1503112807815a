import { OutgoingRequestMessage } from 'sip.js/lib/core/index.js';

import { makeBranch } from './message/branch';
import { encodeWireText } from './message/message';
import { OutgoingRequest } from './message/outgoing-request';
import { routeRequest } from './message/route-set';
import { SUPPORTED, supportedLine } from './message/validation';
import { asText } from './sipjs-internals';

import type { RequestCredentials } from './auth/request-credentials';
import type { RequestParts } from './message/serialiser';

export interface StackRequestOptions {
  /** Host and port of Via. */
  readonly sentBy: string;
  readonly product: string;
  /** Extensions that a peer may use. Default: those of every dialog. */
  readonly supported?: readonly string[];
  /** Who answers challenges; without it a challenge is a refusal like any other. */
  readonly credentials?: RequestCredentials | undefined;
}

/** A request of ours as sip.js makes and keeps it. */
export class StackRequest extends OutgoingRequestMessage {
  readonly #options: StackRequestOptions;
  readonly #args: ConstructorParameters<typeof OutgoingRequestMessage>;
  #outgoing: OutgoingRequest | undefined;
  #credentials: readonly string[] | undefined;

  constructor(options: StackRequestOptions, ...args: ConstructorParameters<typeof OutgoingRequestMessage>) {
    super(...args);
    this.#options = options;
    this.#args = args;
  }

  /** The same request as another of its dialog, with the credentials that are known by then. */
  again(cseq: number): StackRequest {
    const [method, uri, from, to, options, ...rest] = this.#args;
    return new StackRequest(this.#options, method, uri, from, to, { ...options, cseq }, ...rest);
  }

  /** An ACK has no answer, so nobody can challenge it: it repeats what its INVITE had (RFC 3261 §22.1). */
  repeatCredentials(invite: StackRequest): void {
    this.#credentials = invite.#credentials;
  }

  /** Called by the transaction that is made for the request, before it is sent. */
  override setViaHeader(branch: string): void {
    // The transaction gives the ACK of a 2xx a branch of ten million values.
    this.branch = this.method === 'ACK' ? makeBranch(this.fromTag) : branch;
  }

  override toString(): string {
    this.#outgoing ??= new OutgoingRequest(this.#parts(), this.#way);
    return asText(this.#outgoing);
  }

  /** Within the INVITE's transaction, with the To of what it acknowledges (RFC 3261 §17.1.1.3). */
  ackOfRefusal(to: string): OutgoingRequest {
    const kept = { headers: [], credentials: [], product: undefined, body: undefined };
    return new OutgoingRequest({ ...this.#parts(), method: 'ACK', to, ...kept }, this.#way);
  }

  get opensDialog(): boolean {
    return this.method === 'INVITE' && !this.toTag;
  }

  get #way(): OutgoingRequest['way'] {
    return this.opensDialog || this.method === 'CANCEL' ? 'along_invite' : 'next_hop';
  }

  #parts(): RequestParts {
    const { headers, body } = this;
    const route = routeRequest(this.ruri.toRaw(), headers['Route'] ?? []);
    this.#credentials ??= this.#authorize(route.requestUri);
    const reason = headers['Reason']?.map((value) => `Reason: ${value}`) ?? [];
    return {
      method: this.method,
      ...route,
      sentBy: this.#options.sentBy,
      branch: this.branch ?? '',
      to: this.to.toString(),
      from: this.from.toString(),
      callId: this.callId,
      cseq: this.cseq,
      // RFC 3261 table 3: neither has options to tell of.
      headers: [
        ...reason,
        ...this.extraHeaders,
        ...(/^(ACK|CANCEL)$/.test(this.method) ? [] : [supportedLine(this.#options.supported ?? SUPPORTED)]),
      ],
      credentials: this.#credentials,
      product: this.#options.product,
      body: body && { content: body.body, contentType: body.contentType },
    };
  }

  /** None in what may not be challenged (RFC 3261 §22.1). */
  #authorize(requestUri: string): readonly string[] {
    const { method, body } = this;
    const { credentials } = this.#options;
    if (credentials === undefined || method === 'ACK' || method === 'CANCEL') return [];
    return credentials.authorize({ method, requestUri, body: encodeWireText(body?.body ?? '') });
  }
}
