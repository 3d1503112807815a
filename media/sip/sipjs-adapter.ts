import { randomBytes } from 'node:crypto';

import {
  ClientTransaction,
  Dialog,
  InviteClientTransaction,
  InviteServerTransaction,
  LoggerFactory,
  NonInviteServerTransaction,
  SignalingState,
  Timers,
  TransactionState,
  TransportError,
  UserAgentCore,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';

import { sdpOf } from './message/body';
import { ALLOW } from './message/methods';
import { buildResponse } from './message/serialiser';
import { contactUri, SUPPORTED } from './message/validation';
import { Retransmission } from './retransmission';
import { CoreRequest, CoreResponse, SDP, WireUri } from './sipjs-messages';
import { TIMER_D_MS, TIMER_I_MS, TIMER_J_MS, TIMER_K_MS } from './timers';

import type {
  Body,
  InviteUserAgentClient,
  InviteUserAgentServer,
  Logger,
  OutgoingRequestMessage,
  OutgoingResponse,
  ResponseOptions as StackResponse,
  SessionDialog,
  URI,
  UserAgentClient,
} from 'sip.js/lib/core/index.js';
import type { Clock } from './clock';
import type { SipRequest, SipResponse } from './message/message';
import type { ResponseOptions } from './message/serialiser';
import type { Pace } from './retransmission';

/**
 * The one file that touches sip.js and its internals: transactions and dialogs of one call on a UserAgentCore of its
 * own. Messages come from our parser and responses from our serialiser; sip.js's grammar is never called. What its core
 * lacks is added here: timers A, E and G, durations D, I, J and K, unguessable branches, UPDATE, tolerance for missing
 * Contact. Each internal that is relied upon has a test that fails when an upgrade moves it.
 */

// Zero in sip.js (RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2).
Object.assign(Timers, { TIMER_D: TIMER_D_MS, TIMER_I: TIMER_I_MS, TIMER_J: TIMER_J_MS, TIMER_K: TIMER_K_MS });

/** RFC 3261 §8.1.1.7: unique over space and time; sip.js has ten million values. A CANCEL keeps its INVITE's branch. */
export function makeBranch(): string {
  return `z9hG4bK${randomBytes(12).toString('hex')}`;
}
(ClientTransaction as unknown as { makeId: (request: OutgoingRequestMessage) => string }).makeId = (request) =>
  request.method === 'CANCEL' ? (request.branch ?? makeBranch()) : makeBranch();

export interface CoreTransport {
  readonly protocol: 'UDP' | 'TCP' | 'TLS';
  readonly reliable: boolean;
  send(text: string): Promise<void>;
}

/** What happens on the call. Requests that need an answer are answered by what the callback returns. */
export interface CoreEvents {
  onInvite?(): void;
  onCancel?(request: SipRequest): void;
  onAck?(request: SipRequest): void;
  onAckTimeout?(): void;
  onBye?(request: SipRequest): void;
  onInfo?(request: SipRequest): CoreAnswer;
  onReoffer?(sdp: string | null, request: SipRequest): CoreAnswer;
  /** UPDATE without an offer. */
  onRefresh?(request: SipRequest): CoreAnswer;
  /** Provisional other than 100. */
  onProgress?(response: SipResponse): void;
  onAccept?(response: SipResponse): void;
  onReject?(response: SipResponse): void;
  onTimeout?(): void;
  onTransportError?(error: Error): void;
  /** Nothing of the call is left: no dialog, no transaction. */
  onIdle(): void;
}

export interface CoreAnswer {
  readonly status: number;
  readonly sdp?: string;
  readonly headers?: readonly string[];
}

export interface SipCoreOptions {
  readonly clock: Clock;
  readonly localTag: string;
  /** Value of Contact, and of Via's sent-by. */
  readonly contact: string;
  readonly viaHost: string;
  readonly product: string;
  readonly displayName: string;
  /** Transport of the requests that we send. */
  readonly transport: CoreTransport;
  readonly events: CoreEvents;
  readonly onRetransmit: (method: string) => void;
}

export interface ClientInvite {
  readonly requestUri: string;
  readonly fromUri: string;
  readonly toUri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly headers: readonly string[];
  readonly sdp: string;
}

export type ByeResult = 'answered' | 'timeout' | 'transport_error' | { readonly challenge: SipResponse };

const silent = { error() {}, warn() {}, log() {}, debug() {} } as unknown as Logger;

class SilentLoggerFactory extends LoggerFactory {
  override getLogger(): Logger {
    return silent;
  }
}

/** A map of transactions that tells of each that enters or leaves. */
class TransactionMap<T> extends Map<string, T> {
  readonly #onAdd: (user: T) => void;
  readonly #onRemove: () => void;

  constructor(onAdd: (user: T) => void, onRemove: () => void) {
    super();
    this.#onAdd = onAdd;
    this.#onRemove = onRemove;
  }

  override set(key: string, user: T): this {
    super.set(key, user);
    this.#onAdd(user);
    return this;
  }

  override delete(key: string): boolean {
    const had = super.delete(key);
    if (had) this.#onRemove();
    return had;
  }
}

// What sip.js keeps private or protected and we rely on.
interface TransactionInternals {
  readonly lastFinalResponse?: string;
  send(text: string): Promise<void>;
  onTransportError(error: Error): void;
  timerB(): void;
}

interface ServerInternals {
  toTag: string;
  readonly rejectable: boolean;
  readonly earlyDialog?: SessionDialog;
  reply(options: StackResponse): OutgoingResponse;
}

interface DialogInternals {
  readonly dialogState: { remoteTarget: URI };
  sequenceGuard(message: CoreRequest): boolean;
}

const ofTransaction = (transaction: object): TransactionInternals => transaction as TransactionInternals;
const ofServer = (server: object): ServerInternals => server as ServerInternals;
const ofDialog = (dialog: object): DialogInternals => dialog as DialogInternals;

const session = (content: string): Body => ({ contentDisposition: 'session', contentType: SDP, content });
const loggerFactory = new SilentLoggerFactory();

/** A lost datagram or connection; whoever waits for the answer learns of it by its own timer. */
const ignoreLostMessage = (): void => {};

export class SipCore {
  readonly #options: SipCoreOptions;
  readonly #core: UserAgentCore;
  readonly #ownUri: URI;
  readonly #retransmissions = new Set<Retransmission>();
  #replyTransport: CoreTransport | undefined;
  #server: InviteUserAgentServer | undefined;
  #client: InviteUserAgentClient | undefined;
  #dialog: SessionDialog | undefined;
  #target = '';
  #transportError: Error | undefined;
  #disposed = false;

  constructor(options: SipCoreOptions) {
    this.#options = options;
    this.#ownUri = new WireUri(options.contact);
    const { contact } = options;
    this.#core = new UserAgentCore(
      {
        aor: this.#ownUri,
        contact: { pubGruu: undefined, tempGruu: undefined, uri: this.#ownUri, toString: () => contact },
        displayName: options.displayName,
        loggerFactory,
        hackViaTcp: false,
        routeSet: [],
        sipjsId: '',
        supportedOptionTags: [SUPPORTED],
        supportedOptionTagsResponse: [SUPPORTED],
        userAgentHeaderFieldValue: options.product,
        viaForceRport: true,
        viaHost: options.viaHost,
        authenticationFactory: () => undefined,
        transportAccessor: () => this.#replyTransport ?? options.transport,
      },
      { onInvite: (request) => this.#serverInvite(request as unknown as InviteUserAgentServer) },
    );
    this.#instrument();
  }

  get idle(): boolean {
    const { userAgentClients, userAgentServers, dialogs } = this.#core;
    return userAgentClients.size === 0 && userAgentServers.size === 0 && dialogs.size === 0;
  }

  /** @param key identifies the server transaction: branch, sent-by and method, ACK and CANCEL under their INVITE */
  receiveRequest(request: SipRequest, key: string, transport: CoreTransport): void {
    this.#replyTransport = transport;
    try {
      const message = new CoreRequest(request, this.#matchingKey(request, key), this.#ownUri);
      if (request.method === 'UPDATE') this.#receiveUpdate(message);
      else this.#core.receiveIncomingRequestFromTransport(message);
    } finally {
      this.#replyTransport = undefined;
    }
  }

  receiveResponse(response: SipResponse): void {
    this.#core.receiveIncomingResponseFromTransport(new CoreResponse(response, this.#target));
  }

  // ── The call that came in ──

  trying(): void {
    this.#invited.trying();
  }

  ring(headers: readonly string[] = []): void {
    this.#invited.progress({ statusCode: 180, extraHeaders: [...headers] });
    this.#adopt(ofServer(this.#invited).earlyDialog);
  }

  accept(sdp: string, headers: readonly string[] = []): void {
    const accepted = this.#invited.accept({ statusCode: 200, extraHeaders: [...headers], body: session(sdp) });
    this.#adopt(accepted.session as SessionDialog);
  }

  reject(status: number, reason: string | undefined, headers: readonly string[] = []): void {
    if (!this.rejectable) return;
    const phrase = reason === undefined ? {} : { reasonPhrase: reason };
    this.#invited.reject({ statusCode: status, extraHeaders: [...headers], ...phrase });
  }

  get rejectable(): boolean {
    return this.#server !== undefined && ofServer(this.#server).rejectable;
  }

  // ── The call that goes out ──

  invite(invite: ClientInvite): void {
    this.#target = invite.requestUri;
    const message = this.#core.makeOutgoingRequestMessage(
      'INVITE',
      new WireUri(invite.requestUri),
      new WireUri(invite.fromUri),
      new WireUri(invite.toUri),
      { callId: invite.callId, cseq: invite.cseq, fromTag: this.#options.localTag },
      [`Contact: ${this.#options.contact}`, `Allow: ${ALLOW}`, ...invite.headers],
      // sip.js counts UTF-8 bytes and we write one byte per character; SDP of ours is ASCII.
      session(invite.sdp.replace(/[^\t\r\n -~]/g, '?')),
    );
    const { events } = this.#options;
    this.#client = this.#core.invite(message, {
      onProgress: ({ message: response }) => events.onProgress?.((response as CoreResponse).source),
      onAccept: (accepted) => {
        const { message: response, session: dialog } = accepted;
        accepted.ack();
        // A second 2xx is another fork: acknowledged and hung up (RFC 3261 §13.2.2.4).
        if (this.#dialog !== undefined) {
          dialog.bye();
          return;
        }
        this.#adopt(dialog as SessionDialog);
        events.onAccept?.((response as CoreResponse).source);
      },
      onRedirect: ({ message: response }) => events.onReject?.((response as CoreResponse).source),
      onReject: ({ message: response }) => {
        if (response instanceof CoreResponse) events.onReject?.(response.source);
        else if (response.statusCode === 408) events.onTimeout?.();
        else events.onTransportError?.(this.#transportError ?? new Error('transport error'));
      },
    }) as InviteUserAgentClient;
  }

  /** Nothing was received for the INVITE so far. */
  get calling(): boolean {
    return this.#client?.transaction.state === TransactionState.Calling;
  }

  /** The network says that the peer cannot be reached; it counts while nothing else was heard. */
  failInvite(error: Error): void {
    if (!this.calling) return;
    this.#transportError = error;
    ofTransaction(this.#client!.transaction).onTransportError(new TransportError(error.message));
  }

  /** Timer B before its time. */
  expireInvite(): void {
    if (this.calling) ofTransaction(this.#client!.transaction).timerB();
  }

  /** Sent at once in Proceeding, after the first provisional in Calling (RFC 3261 §9.1). */
  cancel(reason: string | undefined): void {
    this.#client?.cancel(reason);
  }

  get inviteText(): string {
    return this.#client?.message.toString() ?? '';
  }

  // ── In the dialog ──

  /** Our 2xx has no ACK yet, so a BYE must wait (RFC 3261 §15). */
  get awaitingAck(): boolean {
    return this.#dialog?.sessionState === 'AckWait' && this.#server?.transaction.state !== TransactionState.Terminated;
  }

  bye(headers: readonly string[], done: (result: ByeResult) => void): void {
    const dialog = this.#dialog;
    if (dialog === undefined) return;
    dialog.bye(
      {
        onAccept: () => done('answered'),
        onRedirect: () => done('answered'),
        onReject: ({ message }) => {
          if (!(message instanceof CoreResponse)) done(message.statusCode === 408 ? 'timeout' : 'transport_error');
          else if (message.statusCode === 401 || message.statusCode === 407) done({ challenge: message.source });
          else done('answered');
        },
      },
      { extraHeaders: [...headers] },
    );
  }

  /** Request-URI of our requests in the dialog. */
  get remoteTarget(): string {
    return this.#dialog?.remoteTarget.toString() ?? this.#target;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const retransmission of this.#retransmissions) retransmission.stop();
    this.#retransmissions.clear();
    this.#core.dispose();
  }

  get #invited(): InviteUserAgentServer {
    if (this.#server === undefined) throw new Error('no INVITE was received');
    return this.#server;
  }

  #instrument(): void {
    const core = this.#core;
    core.userAgentServers = new TransactionMap(
      (server) => this.#addServer(server),
      () => this.#removed(),
    );
    core.userAgentClients = new TransactionMap(
      (client) => this.#addClient(client),
      () => this.#removed(),
    );
    core.replyStateless = (message, { statusCode, extraHeaders }) => {
      const text = this.#response((message as CoreRequest).source, statusCode, { headers: extraHeaders ?? [] });
      this.#core.transport.send(text).catch(ignoreLostMessage);
      return { message: text };
    };
    const make = core.makeOutgoingRequestMessage.bind(core);
    core.makeOutgoingRequestMessage = (...args) => {
      const message = make(...args);
      if (args[0] === 'ACK') {
        const setVia = message.setViaHeader.bind(message);
        message.setViaHeader = (_branch, protocol) => setVia(makeBranch(), protocol);
      }
      return message;
    };
  }

  #removed(): void {
    if (!this.#disposed && this.idle) this.#options.events.onIdle();
  }

  #response(request: SipRequest, status: number, options: ResponseOptions): string {
    return buildResponse(request, status, { toTag: this.#options.localTag, server: this.#options.product, ...options });
  }

  #addServer(server: UserAgentServer): void {
    const uas = ofServer(server);
    const { source } = server.message as CoreRequest;
    uas.toTag = source.toTag === '' ? this.#options.localTag : source.toTag;
    uas.reply = ({ statusCode, reasonPhrase, extraHeaders = [], body }) => {
      const text = this.#response(source, statusCode, {
        ...(reasonPhrase === undefined ? {} : { reason: reasonPhrase }),
        headers: this.#responseHeaders(source, statusCode, extraHeaders),
        ...(body === undefined ? {} : { body }),
      });
      (server.transaction as InviteServerTransaction).receiveResponse(statusCode, text);
      return { message: text };
    };
    const { transaction } = server;
    if (transaction instanceof InviteServerTransaction) this.#watchRefusal(transaction);
  }

  /** sip.js names its own methods in Allow, and forgets Contact in the 2xx of a re-INVITE or UPDATE. */
  #responseHeaders(request: SipRequest, status: number, headers: readonly string[]): string[] {
    const inDialog = request.toTag !== '';
    const kept = headers.filter(
      (line) => !line.startsWith('Allow: ') && !(inDialog && line.startsWith('Record-Route: ')),
    );
    const refreshes = request.method === 'INVITE' || request.method === 'UPDATE';
    if (status >= 200 && status < 300 && refreshes) {
      kept.push(`Allow: ${ALLOW}`, `Supported: ${SUPPORTED}`);
      if (inDialog) kept.push(`Contact: ${this.#options.contact}`);
    }
    return kept;
  }

  /** Timer G: a refusal is repeated over UDP until its ACK (RFC 3261 §17.2.1). */
  #watchRefusal(transaction: InviteServerTransaction): void {
    if ((transaction.transport as CoreTransport).reliable) return;
    const watch = (): void => {
      if (transaction.state !== TransactionState.Completed) return;
      transaction.removeStateChangeListener(watch);
      const text = (): string => ofTransaction(transaction).lastFinalResponse ?? '';
      this.#repeat(transaction, 'INVITE', text, (state) => (state === TransactionState.Completed ? 'backoff' : 'stop'));
    };
    transaction.addStateChangeListener(watch);
  }

  /** Timers A (doubling) and E (doubling to T2, and T2 once a provisional came), RFC 3261 §17.1.1.2 and §17.1.2.2. */
  #addClient(client: UserAgentClient): void {
    const { transaction } = client;
    if ((transaction.transport as CoreTransport).reliable) return;
    const request = transaction.request;
    let text: string | undefined;
    const message = (): string => (text ??= request.toString());
    const invite = transaction instanceof InviteClientTransaction;
    this.#repeat(transaction, request.method, message, (state) => {
      if (state === TransactionState.Calling) return 'double';
      if (state === TransactionState.Trying) return 'backoff';
      return state === TransactionState.Proceeding && !invite ? 'slow' : 'stop';
    });
  }

  #repeat(
    transaction: ClientTransaction | InviteServerTransaction,
    method: string,
    text: () => string,
    pace: (state: TransactionState) => Pace,
  ): void {
    const retransmission = new Retransmission({
      clock: this.#options.clock,
      pace: () => pace(transaction.state),
      send: () => {
        this.#options.onRetransmit(method);
        ofTransaction(transaction).send(text()).catch(ignoreLostMessage);
      },
      onStop: () => {
        this.#retransmissions.delete(retransmission);
        transaction.removeStateChangeListener(check);
      },
    });
    const check = (): void => retransmission.check();
    transaction.addStateChangeListener(check);
    this.#retransmissions.add(retransmission);
  }

  /** An ACK of a 2xx must reach the dialog even when a peer repeats the branch of its INVITE. */
  #matchingKey(request: SipRequest, key: string): string {
    if (request.method !== 'ACK') return key;
    const server = this.#core.userAgentServers.get(key);
    return server?.transaction.state === TransactionState.Accepted ? `${key} ack` : key;
  }

  #serverInvite(server: InviteUserAgentServer): void {
    this.#server = server;
    this.#target = contactUri((server.message as CoreRequest).source) ?? '';
    server.delegate = {
      onCancel: (message) => this.#options.events.onCancel?.((message as unknown as CoreRequest).source),
    };
    this.#options.events.onInvite?.();
  }

  #adopt(dialog: SessionDialog | undefined): void {
    if (dialog === undefined || dialog === this.#dialog) return;
    this.#dialog = dialog;
    const { events } = this.#options;
    dialog.delegate = {
      onAck: ({ message }) => events.onAck?.((message as CoreRequest).source),
      onAckTimeout: () => {
        if (!this.#disposed) events.onAckTimeout?.();
      },
      onBye: (bye) => {
        bye.accept();
        events.onBye?.((bye.message as CoreRequest).source);
      },
      onInfo: (info) => {
        const answer = events.onInfo?.((info.message as CoreRequest).source) ?? { status: 415 };
        if (answer.status < 300) info.accept({ statusCode: answer.status });
        else info.reject({ statusCode: answer.status, extraHeaders: [...(answer.headers ?? [])] });
      },
      onInvite: (invite) => {
        const answer = this.#reoffer((invite.message as CoreRequest).source);
        if (answer.sdp === undefined) {
          invite.reject({ statusCode: answer.status, extraHeaders: [...(answer.headers ?? [])] });
          return;
        }
        this.#freeReinvite(invite as unknown as UserAgentServer);
        const headers = [...(answer.headers ?? [])];
        invite.accept({ statusCode: 200, extraHeaders: headers, body: session(answer.sdp) });
      },
    };
  }

  /** sip.js refuses all later re-INVITEs when the ACK of one never came; RFC 3261 §14.2 asks for a BYE instead. */
  #freeReinvite(server: UserAgentServer): void {
    const { transaction } = server;
    transaction.addStateChangeListener(() => {
      if (transaction.state !== TransactionState.Terminated || this.#dialog === undefined || this.#disposed) return;
      if ((this.#dialog.reinviteUserAgentServer as UserAgentServer | undefined) !== server) return;
      this.#dialog.reinviteUserAgentServer = undefined;
      if (this.#core.dialogs.has(this.#dialog.id)) this.#options.events.onAckTimeout?.();
    });
  }

  #reoffer(request: SipRequest): CoreAnswer {
    return this.#options.events.onReoffer?.(sdpOf(request), request) ?? { status: 488 };
  }

  /** RFC 3311 §5.2; sip.js does not know the method. */
  #receiveUpdate(message: CoreRequest): void {
    const repeated = this.#core.userAgentServers.get(message.viaBranch);
    if (repeated !== undefined) {
      (repeated.transaction as NonInviteServerTransaction).receiveRequest(message);
      return;
    }
    const dialog = this.#core.dialogs.get(message.callId + message.toTag + message.fromTag) as
      SessionDialog | undefined;
    if (dialog === undefined) {
      this.#core.replyStateless(message, { statusCode: 481 });
      return;
    }
    if (!ofDialog(dialog).sequenceGuard(message)) return;
    Dialog.prototype.receiveRequest.call(dialog, message);
    const server = new UserAgentServer(NonInviteServerTransaction, this.#core, message);
    const offer = message.body !== '';
    if (offer && dialog.signalingState === SignalingState.HaveRemoteOffer) {
      server.reject({ statusCode: 500, extraHeaders: ['Retry-After: 3'] });
      return;
    }
    if (offer && dialog.signalingState !== SignalingState.Stable) {
      server.reject({ statusCode: 491 });
      return;
    }
    const contact = contactUri(message.source);
    if (contact !== null) ofDialog(dialog).dialogState.remoteTarget = new WireUri(contact);
    const answer = offer
      ? this.#reoffer(message.source)
      : (this.#options.events.onRefresh?.(message.source) ?? { status: 200 });
    if (answer.status >= 300) {
      server.reject({ statusCode: answer.status, extraHeaders: [...(answer.headers ?? [])] });
      return;
    }
    const body = answer.sdp === undefined ? {} : { body: session(answer.sdp) };
    server.accept({ statusCode: 200, extraHeaders: [...(answer.headers ?? [])], ...body });
  }
}
