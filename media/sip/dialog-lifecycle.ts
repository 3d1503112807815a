import type { SipLadderEntry } from '../../contract/events';
import { DialogWire } from './dialog-wire';
import { parseDtmfRelay } from './dtmf-relay';
import { InfoRequests } from './info-requests';
import { LivenessProbe } from './liveness-probe';
import { sdpOf } from './message/body';
import { ALLOW, ALLOW_WITH_REFER } from './message/methods';
import { PeerCapabilities } from './peer-capabilities';
import { parseReason, reasonLine } from './reason';
import { DialogRefers } from './refer/dialog-refers';
import { SessionRefresh } from './session-refresh';
import { SipCore } from './sip-core';

import type { RequestCredentials } from './auth/request-credentials';
import type { DialogCloseCause, DialogDelegate, PeerLife, RefreshFailure, ReofferOutcome } from './dialog';
import type { DialogContext } from './dialog-context';
import type { Flow } from './edge/flow';
import type { FinishedTransaction } from './finished-transactions';
import type { SipRequest, SipResponse } from './message/message';
import type { ReasonHeader } from './reason';
import type { IncomingRefer } from './refer/received-refer';
import type { CoreAnswer, CoreEvents } from './core-events';

/**
 * setup → established → ending → closed
 *   └──────────────────────────────↗   refused, cancelled, failed
 *
 * `ending`: our BYE is on its way. After `closed` no callback is made; the transactions live on in the core until their
 * timers end, and then the endpoint forgets the dialog.
 */
type DialogState = 'setup' | 'established' | 'ending' | 'closed';

const NEXT: Readonly<Record<DialogState, readonly DialogState[]>> = {
  setup: ['established', 'closed'],
  established: ['ending', 'closed'],
  ending: ['closed'],
  closed: [],
};

interface DialogLifecycleOptions {
  readonly context: DialogContext;
  readonly sipCallId: string;
  readonly localTag: string;
  /** The INVITE that opens the dialog is ours. */
  readonly ownsCallId: boolean;
  readonly onIdle: () => void;
  /** It is closed, and all that is left is what these owe to repetitions: the rest is disposed of. Default: left as it is. */
  readonly onEnded?: (transactions: readonly FinishedTransaction[]) => void;
}

interface DialogOpening {
  /** Value of Contact, and host and port of Via. */
  readonly contact: string;
  readonly sentBy: string;
  readonly displayName: string;
  readonly inviteFlow: () => Flow;
  /** Ours, for a call that goes out: we have none for who calls us. */
  readonly credentials?: RequestCredentials;
  /** What the direction of the call adds to the events of the dialog, or takes over. */
  readonly events: CoreEvents;
}

/**
 * What a dialog is in either direction: its state, its delegate, its ladder, the requests within it and its BYE. The
 * inbound and the outbound dialog own one each and add the set-up.
 */
export class DialogLifecycle {
  readonly refresh: SessionRefresh;
  readonly peerCapabilities = new PeerCapabilities();
  readonly refers: DialogRefers;
  readonly #options: DialogLifecycleOptions;
  readonly #probe = new LivenessProbe((request, done) => this.#open.core.request(request, done));
  readonly #infos = new InfoRequests((request, done) => this.#open.core.request(request, done));
  #opened: { readonly core: SipCore; readonly wire: DialogWire } | undefined;
  #delegate: DialogDelegate = {};
  #delegateSet = false;
  #earlyLadder: SipLadderEntry[] = [];
  #state: DialogState = 'setup';
  #pendingBye: readonly string[] | undefined;
  #endCause: DialogCloseCause = 'normal';

  constructor(options: DialogLifecycleOptions) {
    this.#options = options;
    const { context, ownsCallId } = options;
    this.refresh = new SessionRefresh({
      clock: context.clock,
      policy: context.sessionTimers,
      ownsCallId,
      request: (request, done) => this.#open.core.request(request, done),
      offer: () => this.#offerOf(() => this.#delegate.onRefreshOffer?.() ?? null),
      onAnswer: (sdp) => this.notify((delegate) => delegate.onRefreshAnswer?.(sdp)),
      onFailed: (why) => this.#expired(why),
    });
    this.refers = new DialogRefers({
      clock: context.clock,
      request: (request, done) => this.#open.core.request(request, done),
      localSequence: () => this.#open.core.localSequence,
      guard: (callback) => this.notify(callback),
      established: () => this.#state === 'established',
      onRefer: (refer) => this.#offerRefer(refer),
    });
  }

  get state(): DialogState {
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

  /** Begins once it is known where the peer reaches us. */
  open({ contact, sentBy, displayName, inviteFlow, credentials, events }: DialogOpening): SipCore {
    const { context, localTag } = this.#options;
    const wire = new DialogWire({ context, inviteFlow, credentials, onMessage: (message) => this.#tell(message) });
    const core = new SipCore({
      clock: context.clock,
      localTag,
      contact,
      sentBy,
      product: context.product,
      supported: context.supported,
      allow: () => (this.#delegate.onRefer === undefined ? ALLOW : ALLOW_WITH_REFER),
      displayName,
      requests: wire,
      credentials,
      events: {
        onAck: (request) => this.#acknowledged(sdpOf(request)),
        onAckTimeout: () => this.#endWithBye('ack_timeout'),
        onBye: (request) => this.peerBye(request),
        onInfo: (request) => this.#info(request),
        onRefresh: (request) => this.#refreshed(request),
        onSubscription: (request, answer) => this.refers.receive(request, answer),
        ...events,
      },
      onRetransmit: (method) => context.counters.retransmitted(method),
      onIdle: () => this.#forgetWhenIdle(),
    });
    this.#opened = { core, wire };
    return core;
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    const { core, wire } = this.#open;
    const { method } = request;
    const cseq = request.first('cseq') ?? '';
    this.#tell({ direction: 'in', method, status: null, reason: null, cseq, transport: flow.transport });
    this.peerCapabilities.note(request);
    core.receiveRequest(request, key, wire.repliesOver(flow));
    this.#letGo();
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    const { status, reason } = response;
    const method = response.cseq?.method ?? '';
    const cseq = response.first('cseq') ?? '';
    this.#tell({ direction: 'in', method, status, reason, cseq, transport: flow.transport });
    this.peerCapabilities.note(response);
    this.#open.core.receiveResponse(response);
    this.#letGo();
  }

  /** @throws Error when the dialog cannot get there from its state */
  transition(next: DialogState): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`dialog cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    if (next === 'established' || next === 'setup') return;
    this.refresh.stop();
    this.refers.dialogOver();
    this.#probe.settle('gone');
    this.#infos.stop();
  }

  /** The delegate's errors are its own: they end neither the dialog nor, out of a timer, the process. */
  notify(callback: (delegate: DialogDelegate) => void): void {
    try {
      callback(this.#delegate);
    } catch (error) {
      const { context, sipCallId } = this.#options;
      context.logger.error({ err: error, sipCallId }, 'SIP dialog handler failed');
    }
  }

  /** Hangs up an established dialog. */
  bye(reason?: ReasonHeader): void {
    if (this.#state !== 'established') return;
    const headers = reason === undefined ? [] : [reasonLine(reason)];
    // RFC 3261 §15: not before the ACK of our 2xx, or its timeout.
    if (this.#open.core.awaitingAck) {
      this.#pendingBye ??= headers;
      this.refresh.stop();
    } else this.#sendBye(headers);
  }

  probe(): Promise<PeerLife> {
    if (this.#state === 'established') return this.#probe.ask();
    return Promise.resolve(this.#state === 'setup' ? 'alive' : 'gone');
  }

  reoffer(sdp: string | (() => string)): Promise<ReofferOutcome> {
    if (this.#state !== 'established') return Promise.resolve({ ok: false, status: null });
    return this.refresh.reoffer(() => this.#offerOf(typeof sdp === 'string' ? () => sdp : sdp));
  }

  info(contentType: string, body: string): Promise<boolean> {
    return this.#state === 'established' ? this.#infos.send(contentType, body) : Promise.resolve(false);
  }

  peerBye(request: SipRequest): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'established') this.refers.peerHungUp();
    // A BYE that crosses ours ends the call all the same; ours still gets its answer.
    this.notify((delegate) => delegate.onBye?.(parseReason(request)));
    this.close('normal');
  }

  close(cause: DialogCloseCause): void {
    if (this.#state === 'closed') return;
    this.transition('closed');
    this.notify((delegate) => delegate.onClosed?.(cause));
    this.#delegate = {};
    this.#forgetWhenIdle();
  }

  /** Forgets the dialog without a word to anybody. */
  dispose(): void {
    this.#opened?.core.dispose();
    this.refers.dispose();
    this.refresh.stop();
    this.#probe.settle('gone');
    this.#infos.stop();
    this.#state = 'closed';
    this.#delegate = {};
    this.#options.onIdle();
  }

  get #open(): { readonly core: SipCore; readonly wire: DialogWire } {
    if (this.#opened === undefined) throw new Error('INVITE was not sent yet');
    return this.#opened;
  }

  /** Between two INVITEs of one call nothing may be left of the first, so idle alone does not end it. */
  #forgetWhenIdle(): void {
    if (this.#state === 'closed' && this.#open.core.idle) this.#options.onIdle();
  }

  /** A call that is over is not kept for the 32 s in which its last request may be repeated. */
  #letGo(): void {
    const { onEnded } = this.#options;
    if (this.#state !== 'closed' || onEnded === undefined) return;
    const { core } = this.#open;
    if (core.disposed) return;
    const { finished } = core;
    if (finished === null || finished.length === 0) return;
    core.dispose();
    onEnded(finished);
  }

  #endWithBye(cause: DialogCloseCause): void {
    if (this.#state !== 'established') return;
    this.#endCause = cause;
    this.#sendBye(this.#pendingBye ?? []);
  }

  #sendBye(headers: readonly string[]): void {
    this.transition('ending');
    this.#open.core.bye(headers, (result) => {
      if (this.#state !== 'ending') return;
      if (result !== 'answered' && this.#endCause === 'normal') {
        this.#endCause = result === 'timeout' ? 'bye_timeout' : 'transport_error';
      }
      this.close(this.#endCause);
    });
  }

  /** ACK of our 2xx. */
  #acknowledged(sdp: string | null): void {
    this.notify((delegate) => delegate.onAck?.(sdp));
    const pending = this.#pendingBye;
    this.#pendingBye = undefined;
    if (pending !== undefined && this.#state === 'established') this.#sendBye(pending);
  }

  #info(request: SipRequest): CoreAnswer {
    if (request.body.length === 0) return { status: 200 };
    const digit = parseDtmfRelay(request);
    if (digit === null) return { status: 415, headers: ['Accept: application/dtmf-relay, application/dtmf'] };
    this.notify((delegate) => delegate.onDtmf?.(digit));
    return { status: 200 };
  }

  /** re-INVITE or UPDATE: what it changes in the session, and for how much longer that lasts. */
  #refreshed(request: SipRequest): CoreAnswer {
    const sdp = sdpOf(request);
    const answer = sdp === null && request.method === 'UPDATE' ? { status: 200 } : this.#reoffer(sdp);
    // Before the call stands, its 2xx says how long it lasts.
    if (answer.status >= 300 || this.#state !== 'established') return answer;
    return { ...answer, headers: [...(answer.headers ?? []), ...this.refresh.grant(request)] };
  }

  #reoffer(sdp: string | null): CoreAnswer {
    let answer: CoreAnswer = { status: 488 };
    this.notify((delegate) => {
      const given = delegate.onReoffer?.(sdp);
      if (given !== undefined) answer = 'sdp' in given ? { status: 200, sdp: given.sdp } : given;
    });
    return answer;
  }

  /** False when nobody takes it. */
  #offerRefer(refer: IncomingRefer): boolean {
    if (this.#delegate.onRefer === undefined) return false;
    let taken = false;
    this.notify((delegate) => {
      delegate.onRefer?.(refer);
      taken = true;
    });
    return taken;
  }

  #offerOf(make: () => string | null): string | null {
    let offer: string | null = null;
    this.notify(() => {
      offer = make();
    });
    return offer;
  }

  #expired(why: RefreshFailure): void {
    const { context, sipCallId } = this.#options;
    context.logger.info({ sipCallId, why }, 'SIP session was not refreshed');
    this.notify((delegate) => delegate.onExpired?.(why));
    this.bye({ protocol: 'SIP', cause: 408, text: 'session expired' });
  }

  #tell(message: SipLadderEntry): void {
    if (this.#delegateSet) this.notify((delegate) => delegate.onMessage?.(message));
    else this.#earlyLadder.push(message);
  }
}
