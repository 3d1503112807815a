import { parseDtmfRelay } from './dtmf-relay';
import { sendResponse, flowToHop, nextHop } from './edge/routing';
import { parseReason, reasonHeader } from './reason';

import type { Clock } from '../clock';
import type { SipCounters } from './counters';
import type { SipEdge } from './edge/edge';
import type { Flow } from './edge/flow';
import type { TargetResolver } from './edge/resolver';
import type { SipRequest, SipResponse } from './message/message';
import type { OutgoingRequest } from './message/outgoing-request';
import type { CoreAnswer, CoreEvents, SipCore } from './sip-core';
import type { ReplyTransport, RequestTransport } from './sipjs-adapter';
import type { SipLogger } from './logger';
import type { DialogDelegate, LadderMessage, ReasonHeader, SipPeer } from './types';

/** What a call needs of its endpoint. */
export interface CallContext {
  readonly edge: SipEdge;
  readonly clock: Clock;
  readonly counters: SipCounters;
  readonly logger: SipLogger;
  readonly resolve: TargetResolver;
  readonly allowPrivateTargets: boolean;
  readonly product: string;
  /** The call may be forgotten. */
  readonly onIdle: (call: SipCall) => void;
}

export type CloseCause = 'normal' | 'ack_timeout' | 'transport_error' | 'bye_timeout';

/**
 * setup → established → ending → closed
 *   └──────────────────────────────↗   refused, cancelled, failed
 *
 * `ending`: our BYE is on its way. After `closed` no callback is made; the transactions live on in the core until their
 * timers end, and then `onIdle` removes the call from the endpoint.
 */
export type CallState = 'setup' | 'established' | 'ending' | 'closed';

const NEXT: Readonly<Record<CallState, readonly CallState[]>> = {
  setup: ['established', 'closed'],
  established: ['ending', 'closed'],
  ending: ['closed'],
  closed: [],
};

export abstract class SipCall {
  readonly sipCallId: string;
  readonly localTag: string;
  protected readonly context: CallContext;
  #delegate: DialogDelegate = {};
  #delegateSet = false;
  #earlyLadder: LadderMessage[] = [];
  #state: CallState = 'setup';
  #pendingBye: readonly string[] | undefined;
  #endCause: CloseCause = 'normal';

  constructor(context: CallContext, sipCallId: string, localTag: string) {
    this.context = context;
    this.sipCallId = sipCallId;
    this.localTag = localTag;
  }

  /** The core of the call, once there is one. */
  protected abstract readonly core: SipCore;
  /** Where requests of ours in the dialog go when their next hop is unusable. */
  abstract readonly peer: SipPeer;

  get state(): CallState {
    return this.#state;
  }

  get delegate(): DialogDelegate {
    return this.#delegate;
  }

  set delegate(delegate: DialogDelegate) {
    this.#delegate = delegate;
    this.#delegateSet = true;
    for (const message of this.#earlyLadder.splice(0)) delegate.onMessage?.(message);
  }

  bye(reason?: ReasonHeader): void {
    switch (this.#state) {
      case 'setup':
        this.abandonSetup(reason);
        return;
      case 'established': {
        const headers = reason === undefined ? [] : [reasonHeader(reason)];
        // RFC 3261 §15: not before the ACK of our 2xx, or its timeout.
        if (this.core.awaitingAck) this.#pendingBye ??= headers;
        else this.#sendBye(headers);
        return;
      }
      case 'ending':
      case 'closed':
    }
  }

  dispose(): void {
    this.core.dispose();
    this.abandon();
  }

  /** Forgets the call without a word to anybody. */
  protected abandon(): void {
    this.#state = 'closed';
    this.#delegate = {};
    this.context.onIdle(this);
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    this.#ladder('in', request.method, null, null, request.first('cseq') ?? '', flow);
    this.core.receiveRequest(request, key, this.#replyTransport(flow));
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    const method = response.cseq?.method ?? '';
    this.#ladder('in', method, response.status, response.reason, response.first('cseq') ?? '', flow);
    this.core.receiveResponse(response);
  }

  /** The delegate's errors are its own: they end neither the call nor, out of a timer, the process. */
  protected notify(callback: (delegate: DialogDelegate) => void): void {
    try {
      callback(this.#delegate);
    } catch (error) {
      this.context.logger.error({ err: error, sipCallId: this.sipCallId }, 'SIP dialog handler failed');
    }
  }

  /** What `bye` means before the final answer. */
  protected abstract abandonSetup(reason: ReasonHeader | undefined): void;

  /** Header line for one more try of a challenged request, null when there is none. */
  protected authorize(_challenge: SipResponse, _method: string): string | null {
    return null;
  }

  protected transition(next: CallState): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`call cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }

  protected close(cause: CloseCause): void {
    if (this.#state === 'closed') return;
    this.transition('closed');
    this.notify((delegate) => delegate.onClosed?.(cause));
    this.#delegate = {};
    this.forgetWhenIdle();
  }

  /** Between two INVITEs of one call nothing may be left of the first, so idle alone does not end it. */
  protected forgetWhenIdle(): void {
    if (this.#state === 'closed' && this.core.idle) this.context.onIdle(this);
  }

  /** Answers in the dialog that are the same for both directions. */
  protected dialogEvents(): Pick<CoreEvents, 'onAckTimeout' | 'onBye' | 'onInfo' | 'onReoffer'> {
    return {
      onAckTimeout: () => this.#endWithBye('ack_timeout'),
      onBye: (request) => this.peerBye(request),
      onInfo: (request) => this.#info(request),
      onReoffer: (sdp) => this.#reoffer(sdp),
    };
  }

  protected peerBye(request: SipRequest): void {
    if (this.#state === 'closed') return;
    // A BYE that crosses ours ends the call all the same; ours still gets its answer.
    this.notify((delegate) => delegate.onBye?.(parseReason(request)));
    this.close('normal');
  }

  protected acknowledged(sdp: string | null): void {
    this.notify((delegate) => delegate.onAck?.(sdp));
    const pending = this.#pendingBye;
    this.#pendingBye = undefined;
    if (pending !== undefined && this.#state === 'established') this.#sendBye(pending);
  }

  #endWithBye(cause: CloseCause): void {
    if (this.#state !== 'established') return;
    this.#endCause = cause;
    this.#sendBye(this.#pendingBye ?? []);
  }

  #sendBye(headers: readonly string[]): void {
    this.transition('ending');
    this.#tryBye(headers, true);
  }

  #tryBye(headers: readonly string[], mayAuthorize: boolean): void {
    this.core.bye(headers, (result) => {
      if (this.#state !== 'ending') return;
      if (typeof result === 'object') {
        const authorization = mayAuthorize ? this.authorize(result.challenge, 'BYE') : null;
        if (authorization !== null) this.#tryBye([...headers, authorization], false);
        else this.close(this.#endCause);
        return;
      }
      if (result !== 'answered' && this.#endCause === 'normal') {
        this.#endCause = result === 'timeout' ? 'bye_timeout' : 'transport_error';
      }
      this.close(this.#endCause);
    });
  }

  #info(request: SipRequest): CoreAnswer {
    if (request.body.length === 0) return { status: 200 };
    const digit = parseDtmfRelay(request);
    if (digit === null) return { status: 415, headers: ['Accept: application/dtmf-relay, application/dtmf'] };
    this.notify((delegate) => delegate.onDtmf?.(digit));
    return { status: 200 };
  }

  #reoffer(sdp: string | null): CoreAnswer {
    let answer: CoreAnswer = { status: 488 };
    this.notify((delegate) => {
      const given = delegate.onReoffer?.(sdp);
      if (given !== undefined) answer = 'sdp' in given ? { status: 200, sdp: given.sdp } : given;
    });
    return answer;
  }

  // ── Messages out ──

  /** `firstFlow` is where an INVITE that opens the dialog goes, with its CANCEL and the ACK of its refusal. */
  protected requestTransport(firstFlow: () => Flow): RequestTransport {
    return {
      get reliable() {
        return firstFlow().reliable;
      },
      send: (request) => this.#sendRequest(request, firstFlow),
    };
  }

  #replyTransport(flow: Flow): ReplyTransport {
    return {
      reliable: flow.reliable,
      send: (response) => {
        const { status, reason, method, cseq } = response;
        this.context.counters.message('out', method, status);
        this.#ladder('out', method, status, reason, cseq, flow);
        return sendResponse(this.context.edge, flow, response);
      },
    };
  }

  async #sendRequest(request: OutgoingRequest, firstFlow: () => Flow): Promise<void> {
    const { method, cseq } = request.parts;
    const along = request.way === 'along_invite';
    const flow = along ? firstFlow() : await flowToHop(this.context, nextHop(request.parts), this.peer);
    this.context.counters.message('out', method, null);
    this.#ladder('out', method, null, null, `${cseq} ${method}`, flow);
    flow.send(request.bytes(flow.transport));
  }

  #ladder(
    direction: 'in' | 'out',
    method: string,
    status: number | null,
    reason: string | null,
    cseq: string,
    flow: Flow,
  ): void {
    const message = { direction, method, status, reason, cseq, transport: flow.transport };
    if (this.#delegateSet) this.notify((delegate) => delegate.onMessage?.(message));
    else this.#earlyLadder.push(message);
  }
}
