import { createHmac } from 'node:crypto';

import { fewRandomBytes } from '../../ops/random-bytes';
import { InviteAdmission } from './admission';
import { RequestAuthentication, SOURCE_REFUSAL } from './auth/request-authentication';
import { systemClock } from '../clock';
import { noCounters } from './counters';
import { DialogTable, transactionKey } from './dialog-table';
import { SipEdge } from './edge/edge';
import { systemNames } from './edge/names';
import { publicTargets, targetResolver } from './edge/resolver';
import { sendResponse } from './edge/routing';
import { lookUpTarget } from './edge/target-lookup';
import { Expiry } from './expiry';
import { InviteNotSentError } from './invite';
import { InviteBacklog } from './invite-backlog';
import { describeInvite } from './invite-description';
import { noLogger } from './logger';
import { SipRequest } from './message/message';
import { parseMessage } from './message/parser';
import { buildResponse } from './message/serialiser';
import { allowed, REPLACES, SUPPORTED, supportedLine, validateRequest } from './message/validation';
import { markReceived } from './message/via';
import { OutOfDialogRequests } from './out-of-dialog';
import { OwnAddresses } from './own-address';
import { RegisterTransactions } from './registrar/register-transactions';
import { Registrar } from './registrar/registrar';
import { RegisteredLines } from './registration/registered-lines';
import { findReplaced } from './replaced-dialog';
import { SESSION_TIMER_POLICY, tooBrief } from './session-expires';
import { UacDialog } from './uac-dialog';
import { UasDialog } from './uas-dialog';

import type { SipIdentity } from './auth/identity';
import type { Clock } from '../clock';
import type { SipCounters, SipRejectReason } from './counters';
import type { DialogDelegate, OutboundDialog } from './dialog';
import type { DialogContext } from './dialog-context';
import type { RoutedDialog } from './dialog-table';
import type { SipListenAddress } from './edge/edge';
import type { Flow } from './edge/flow';
import type { TargetResolver } from './edge/resolver';
import type { NamedTarget, TargetLookup } from './edge/target-lookup';
import type { TcpLimits } from './edge/tcp';
import type { SipEndpoint, SipEndpointDelegate } from './endpoint';
import type { OutboundInvite } from './invite';
import type { Wait } from './invite-backlog';
import type { SipLogger } from './logger';
import type { SipResponse } from './message/message';
import type { Refusal } from './message/validation';
import type { OwnAddress } from './own-address';
import type { SessionTimerPolicy } from './session-expires';
import type { RateLimit } from '../../ops/token-bucket';

export interface SipServerOptions {
  /** Port 0 takes a free one, the same for UDP and TCP. */
  readonly listen: readonly SipListenAddress[];
  readonly delegate: SipEndpointDelegate;
  /** Key of the nonces, the same on all nodes. */
  readonly nonceKey: Buffer;
  /** Host in Contact and Via; default: the local address of the route to the peer. */
  readonly publicHost?: string;
  /** `none` admits every INVITE as `anonymousIdentity`: for benchmarks only. Default `digest`. */
  readonly authentication?: 'digest' | 'none';
  readonly anonymousIdentity?: SipIdentity;
  /** Per source, before parsing, see `SourceLimits`. Default 5000 messages a second, 10000 at once. */
  readonly rateLimit?: RateLimit;
  readonly tcpLimits?: Partial<TcpLimits>;
  readonly counters?: SipCounters;
  readonly logger?: SipLogger;
  readonly clock?: Clock;
  /** Name servers, each `address` or `address:port`; default, and null: those of the system. */
  readonly nameServers?: readonly string[] | null;
  /** Default: by hosts file and name servers. */
  readonly resolve?: TargetResolver;
  readonly sessionTimers?: SessionTimerPolicy;
  /** May trunks, and what peers name in Contact and Route, be at private addresses? Default true. */
  readonly allowPrivateTargets?: boolean;
  /** How long an INVITE may wait to be looked at while more come than can be served. Default 20. */
  readonly maxInviteWaitMs?: number;
  /** Called while the thread has more to do than it comes to. */
  readonly onStrain?: () => void;
}

const DEFAULT_RATE_LIMIT: RateLimit = { perSecond: 5_000, burst: 10_000 };
/** Value of Server and User-Agent. */
const PRODUCT = 'Trunkline';
/** Of an INVITE that was one too many. Whoever obeys sends nothing for so long (RFC 3261 §21.5.4), which a node needs for a moment only. */
const OVERLOADED: Refusal = { status: 503, headers: ['Retry-After: 1'] };
const ANONYMOUS: SipIdentity = { trunkId: '', orgId: '', username: '' };

/** SIP side of a media node: sockets, stateless checks, and the table of dialogs. */
export class SipServer implements SipEndpoint {
  readonly outOfDialog: OutOfDialogRequests;
  readonly lines = new RegisteredLines();
  readonly #options: SipServerOptions;
  readonly #edge: SipEdge;
  readonly #invites: InviteBacklog;
  readonly #admission: InviteAdmission;
  /** Null where everybody is admitted. */
  readonly #authentication: RequestAuthentication | null;
  /** Null where nobody can register. */
  readonly #registrar: Registrar | null;
  readonly #registers: RegisterTransactions;
  readonly #ownAddresses: OwnAddresses;
  readonly #dialogs = new DialogTable();
  readonly #ended: Expiry<RoutedDialog>;
  readonly #context: DialogContext;
  readonly #counters: SipCounters;
  readonly #logger: SipLogger;
  readonly #clock: Clock;
  readonly #names: ReturnType<typeof systemNames>;
  #draining = false;
  #closed = false;

  constructor(options: SipServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#counters = options.counters ?? noCounters;
    this.#logger = options.logger ?? noLogger;
    const { authentication = 'digest', delegate, nonceKey } = options;
    const proofs = { nonceKey, delegate, lines: this.lines, clock: this.#clock, logger: this.#logger };
    this.#authentication = authentication === 'none' ? null : new RequestAuthentication(proofs);
    const { bindings: store } = delegate;
    this.#registers = new RegisterTransactions(this.#clock);
    this.#registrar = store === undefined ? null : new Registrar({ store, clock: this.#clock, logger: this.#logger });
    this.#admission = new InviteAdmission({ now: () => this.#clock.now() });
    this.#invites = new InviteBacklog({
      clock: this.#clock,
      serve: (bytes, flow, wait) => this.#receive(bytes, flow, wait),
      onStrain: () => options.onStrain?.(),
      maxWaitMs: options.maxInviteWaitMs,
    });
    this.#edge = new SipEdge({
      listen: options.listen,
      sink: (bytes, flow) => this.#invites.receive(bytes, flow),
      onRefused: (reason) => this.#counters.rejected(reason, null),
      rateLimit: options.rateLimit ?? DEFAULT_RATE_LIMIT,
      clock: this.#clock,
      ...(options.tcpLimits === undefined ? {} : { tcpLimits: options.tcpLimits }),
    });
    this.#ownAddresses = new OwnAddresses(this.#edge, options.publicHost);
    this.#names = systemNames(this.#clock, options.nameServers ?? null);
    const { resolve = targetResolver(this.#names.names, Math.random), allowPrivateTargets = true } = options;
    this.#ended = new Expiry(this.#clock, (dialog) => dialog.dispose());
    this.#context = {
      edge: this.#edge,
      ownAddresses: this.#ownAddresses,
      clock: this.#clock,
      counters: this.#counters,
      logger: this.#logger,
      resolve: allowPrivateTargets ? resolve : publicTargets(resolve),
      allowPrivateTargets,
      sessionTimers: options.sessionTimers ?? SESSION_TIMER_POLICY,
      product: PRODUCT,
      supported: this.#takesReplaces ? [...SUPPORTED, REPLACES] : SUPPORTED,
      onEnded: (dialog, by, lastsMs) => {
        this.#dialogs.replace(dialog, by);
        this.#ended.add(by, lastsMs);
      },
      onIdle: (dialog) => this.#dialogs.remove(dialog),
    };
    this.outOfDialog = new OutOfDialogRequests(this.#context);
  }

  /** Bound addresses, of UDP and TCP alike. */
  get addresses(): readonly SipListenAddress[] {
    return this.#edge.addresses;
  }

  get dialogCount(): number {
    return this.#dialogs.size;
  }

  async start(): Promise<void> {
    await this.#edge.start();
    this.#logger.info({ addresses: this.addresses }, 'SIP sockets are open');
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const dialog of this.#dialogs.all()) dialog.dispose();
    this.#ended.close();
    this.outOfDialog.close();
    this.#names.close();
    this.#authentication?.close();
    await this.#edge.close();
  }

  async invite(options: OutboundInvite, delegate: DialogDelegate): Promise<OutboundDialog> {
    if (this.#closed) throw new InviteNotSentError('SIP endpoint is closed');
    const dialog = new UacDialog({ context: this.#context, invite: options, delegate, localTag: makeTag() });
    this.#dialogs.addOutbound(dialog);
    try {
      await dialog.start();
    } catch (error) {
      this.#dialogs.remove(dialog);
      throw error;
    }
    return dialog;
  }

  lookUp(target: NamedTarget): Promise<TargetLookup> {
    return lookUpTarget(target, { resolve: this.#context.resolve, names: this.#names.names });
  }

  #receive(bytes: Buffer, flow: Flow, wait: Wait): void {
    if (this.#closed) return;
    let message: SipRequest | SipResponse;
    try {
      message = parseMessage(bytes);
    } catch {
      // Not SIP at all, or a keep-alive of CRLFs.
      if (bytes.length > 4) this.#counters.rejected('unparsable', null);
      this.#edge.noteUnparsable(bytes, flow);
      return;
    }
    try {
      if (message instanceof SipRequest) this.#receiveRequest(message, flow, wait);
      else this.#receiveResponse(message, flow);
    } catch (error) {
      this.#counters.rejected('internal_error', message instanceof SipRequest ? 500 : null);
      this.#logger.error({ err: error }, 'SIP message could not be handled');
      if (message instanceof SipRequest) this.#reply(message, flow, { status: 500 });
    }
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    this.#counters.message('in', response.cseq?.method ?? '', response.status);
    const dialog = this.#dialogs.ofResponse(response);
    // RFC 3261 §18.1.2, §18.3: what belongs to no transaction of ours is dropped, and so is half a body. Whatever else
    // is wrong with it, a response that can be matched tells what became of our request.
    const { status, issues } = response;
    const known = status >= 100 && status <= 699 && !issues.includes('body_truncated');
    if (known && this.outOfDialog.receive(response, flow)) return;
    if (dialog === undefined || !known) {
      this.#counters.rejected('unroutable_response', null);
      return;
    }
    dialog.receiveResponse(response, flow);
  }

  #receiveRequest(request: SipRequest, flow: Flow, wait: Wait): void {
    const { method } = request;
    this.#counters.message('in', method, null);
    const via = request.topVia;
    if (via !== null) {
      const { address, port } = flow.peer;
      request.replaceTopVia(markReceived(request.list('via')[0]!, via, address, port));
    }
    const refusal =
      validateRequest(request, this.#registrar !== null, this.#context.supported) ??
      this.#checkStream(request, flow) ??
      tooBrief(request, this.#context.sessionTimers);
    if (refusal !== null) {
      const reason = refusal.status === 400 ? 'invalid_request' : 'unsupported';
      this.#refuse(request, flow, refusal, reason);
      return;
    }
    const key = transactionKey(request);
    if (method === 'ACK') {
      // An ACK of a stateless refusal belongs to nothing and is swallowed (RFC 3261 §8.2.7).
      const dialog = this.#ofInvite(request, key);
      if (dialog?.admits?.(flow.peer.address) !== false) dialog?.receiveRequest(request, key, flow);
    } else if (method === 'CANCEL') {
      this.#deliver(this.#ofInvite(request, key), request, key, flow);
    } else if (method === 'OPTIONS') {
      this.#answerOptions(request, flow);
    } else if (method === 'REGISTER') {
      this.#receiveRegister(request, `${key} ${flow.peer.address}`, flow);
    } else if (request.toTag !== '' || method !== 'INVITE') {
      this.#deliver(this.#dialogs.byTag(request.callId, request.toTag), request, key, flow);
    } else {
      this.#receiveInvite(request, key, flow, wait);
    }
  }

  /** The dialog whose INVITE an ACK or CANCEL is for: the one that opened it, or one within it. */
  #ofInvite(request: SipRequest, key: string): RoutedDialog | undefined {
    return this.#dialogs.byInvite(key) ?? this.#dialogs.byTag(request.callId, request.toTag);
  }

  /** Content-Length is mandatory on a stream (RFC 3261 §18.3). */
  #checkStream(request: SipRequest, flow: Flow): Refusal | null {
    if (!flow.reliable || request.headers.has('content-length')) return null;
    return { status: 400, reason: 'Missing Content-Length Header Field' };
  }

  #deliver(dialog: RoutedDialog | undefined, request: SipRequest, key: string, flow: Flow): void {
    if (dialog === undefined) this.#refuse(request, flow, { status: 481 }, 'unknown_dialog');
    else if (dialog.admits?.(flow.peer.address) === false)
      this.#refuse(request, flow, SOURCE_REFUSAL, 'source_not_allowed');
    else dialog.receiveRequest(request, key, flow);
  }

  #answerOptions(request: SipRequest, flow: Flow): void {
    if (request.toTag !== '' && this.#dialogs.byTag(request.callId, request.toTag) === undefined) {
      this.#refuse(request, flow, { status: 481 }, 'unknown_dialog');
      return;
    }
    const unavailable = this.#unavailable();
    if (unavailable !== null) {
      this.#refuse(request, flow, unavailable, 'unavailable');
      return;
    }
    const headers = [...allowed(this.#registrar !== null), 'Accept: application/sdp', 'Accept-Encoding: identity'];
    this.#reply(request, flow, {
      status: 200,
      headers: [...headers, 'Accept-Language: en', supportedLine(this.#context.supported)],
    });
  }

  #receiveRegister(request: SipRequest, key: string, flow: Flow): void {
    const repeated = this.#registers.find(key);
    if (repeated === 'pending' || this.#registrar === null) return;
    if (repeated !== undefined) {
      this.#reply(request, flow, repeated);
      return;
    }
    // The flow would end with the node; another one may take it.
    if (this.#draining) {
      this.#refuse(request, flow, { status: 503, headers: ['Retry-After: 5'] }, 'unavailable');
      return;
    }
    const identity = this.#authenticate(request, flow);
    if (identity === null) return;
    const answered = this.#registers.begin(key);
    this.#registrar
      .register(request, identity, flow.peer)
      .catch((error: unknown) => {
        this.#logger.error({ err: error, trunkId: identity.trunkId }, 'REGISTER could not be served');
        return { status: 500 };
      })
      .then((answer: Refusal) => {
        answered(answer);
        if (answer.status === 200) this.#edge.hold(flow);
        else this.#counters.rejected('registration_refused', answer.status);
        if (!this.#closed) this.#reply(request, flow, answer);
      })
      .catch((error: unknown) => this.#logger.error({ err: error }, 'REGISTER could not be answered'));
  }

  #receiveInvite(request: SipRequest, key: string, flow: Flow, { readMs, late }: Wait): void {
    const repeated = this.#dialogs.byInvite(key);
    if (repeated !== undefined) {
      repeated.receiveRequest(request, key, flow);
      return;
    }
    // The same request over another path (RFC 3261 §8.2.2.2).
    if (this.#dialogs.isMerged(request)) {
      this.#refuse(request, flow, { status: 482 }, 'merged_request');
      return;
    }
    const unavailable = this.#unavailable();
    if (unavailable !== null) {
      this.#refuse(request, flow, unavailable, 'unavailable');
      return;
    }
    const overload = this.#options.delegate.overload?.() ?? null;
    const refused = this.#admission.refusal({ key, callId: request.callId, late }, overload);
    if (refused !== null) {
      this.#refuse(request, flow, OVERLOADED, `overload_${refused}`);
      return;
    }
    const identity = this.#authenticate(request, flow);
    if (identity === null) return;
    const known = this.#ownAddresses.known(flow);
    if (known !== undefined) {
      this.#open(request, key, flow, identity, known, readMs);
      return;
    }
    this.#ownAddresses
      .towards(flow.peer.address)
      .then((ownAddress) => {
        // A retransmission, or the same request over another path, may have come first.
        if (this.#closed || this.#dialogs.byInvite(key) !== undefined) return;
        if (this.#dialogs.isMerged(request)) this.#refuse(request, flow, { status: 482 }, 'merged_request');
        else this.#open(request, key, flow, identity, ownAddress, readMs);
      })
      .catch((error: unknown) => {
        this.#logger.error({ err: error }, 'INVITE could not be taken');
        this.#refuse(request, flow, { status: 500 }, 'internal_error');
      });
  }

  get #takesReplaces(): boolean {
    return this.#options.delegate.onReplace !== undefined;
  }

  #unavailable(): Refusal | null {
    const { available, retryAfterSeconds } = this.#options.delegate.availability();
    if (available && !this.#draining) return null;
    return { status: 503, headers: [`Retry-After: ${Math.max(1, Math.ceil(retryAfterSeconds))}`] };
  }

  /** Null when the request was refused or challenged, without any state kept. */
  #authenticate(request: SipRequest, flow: Flow): SipIdentity | null {
    if (this.#authentication === null) return this.#options.anonymousIdentity ?? ANONYMOUS;
    const verdict = this.#authentication.authenticate(request, flow.peer);
    switch (verdict.kind) {
      case 'proven':
        this.#edge.prove(flow);
        return verdict.identity;
      case 'refused':
        this.#refuse(request, flow, verdict.refusal, verdict.reason);
        return null;
      case 'paused':
        this.#counters.rejected('guesses_paused', null);
        return null;
    }
  }

  #open(
    request: SipRequest,
    key: string,
    flow: Flow,
    identity: SipIdentity,
    ownAddress: OwnAddress,
    receivedAt: number,
  ): void {
    const replaced = this.#takesReplaces ? findReplaced(request, identity, this.#dialogs) : null;
    const refusal = replaced !== null && 'status' in replaced ? replaced : null;
    const replaces = replaced !== null && 'dialog' in replaced ? replaced : null;
    const dialog = new UasDialog({
      context: this.#context,
      request,
      invite: describeInvite(request, flow, identity, ownAddress.host, receivedAt, replaces),
      localTag: makeTag(),
      flow,
      ownAddress,
    });
    this.#dialogs.addInbound(dialog, request, key);
    dialog.receiveRequest(request, key, flow);
    if (refusal !== null) {
      this.#counters.rejected('not_replaceable', refusal.status);
      dialog.reject(refusal.status, refusal);
      return;
    }
    try {
      if (replaces === null) this.#options.delegate.onInvite(dialog);
      else this.#options.delegate.onReplace?.(dialog);
    } catch (error) {
      this.#logger.error({ err: error, sipCallId: dialog.sipCallId }, 'INVITE handler failed');
      dialog.reject(500);
    }
  }

  #refuse(request: SipRequest, flow: Flow, refusal: Refusal, reason: SipRejectReason): void {
    this.#counters.rejected(reason, refusal.status);
    this.#reply(request, flow, refusal);
  }

  /** One stateless final response (RFC 3261 §8.2.7): a repeated request gets the same one again. */
  #reply(request: SipRequest, flow: Flow, { status, reason, headers }: Refusal): void {
    if (request.method === 'ACK') return;
    const response = buildResponse(request, status, {
      toTag: this.#statelessTag(request),
      server: PRODUCT,
      ...(reason === undefined ? {} : { reason }),
      ...(headers === undefined ? {} : { headers }),
    });
    this.#counters.message('out', request.method, status);
    sendResponse(this.#edge, flow, response).catch(() => {
      // The peer will repeat its request when it still wants an answer.
    });
  }

  /** The same for each repetition of a request (RFC 3261 §8.2.7). */
  #statelessTag(request: SipRequest): string {
    const identity = `${request.callId} ${request.fromTag} ${request.first('cseq') ?? ''}`;
    return createHmac('sha256', this.#options.nonceKey).update(identity).digest('hex').slice(0, 16);
  }
}

function makeTag(): string {
  return fewRandomBytes(8).toString('hex');
}
