import {
  ClientTransaction,
  Dialog,
  InviteClientTransaction,
  InviteServerTransaction,
  LoggerFactory,
  OutgoingRequestMessage,
  Timers,
  TransactionState,
  TransportError,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';

import { makeBranch } from './message/branch';
import { encodeWireText } from './message/message';
import { ALLOW } from './message/methods';
import { OutgoingRequest } from './message/outgoing-request';
import { routeRequest } from './message/route-set';
import { buildResponse } from './message/serialiser';
import { SUPPORTED, supportedLine } from './message/validation';
import { Retransmission } from './retransmission';
import { CoreResponse, WireUri } from './sipjs-messages';
import { TIMER_D_MS, TIMER_I_MS, TIMER_J_MS, TIMER_K_MS } from './timers';
import { WatchedMap } from './watched-map';

import type {
  InviteUserAgentServer,
  Logger,
  OutgoingResponse as StackResponse,
  ResponseOptions as StackResponseOptions,
  SessionDialog,
  Transport,
  URI,
  UserAgentClient,
  UserAgentCoreDelegate,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock';
import type { RequestCredentials } from './auth/request-credentials';
import type { SipRequest, SipResponse } from './message/message';
import type { OutgoingResponse, RequestParts, ResponseOptions } from './message/serialiser';
import type { Pace } from './retransmission';
import type { CoreRequest } from './sipjs-messages';

/**
 * The one file that touches what is internal to sip.js. It gives each call a UserAgentCore with what sip.js lacks:
 * timers A, E and G, durations D, I, J and K, unguessable branches, an end that can be noticed. Messages of ours pass
 * through sip.js as objects, which our serialiser writes. Each internal that is relied upon has a test that fails when
 * an upgrade moves it.
 */

// Zero in sip.js (RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2).
Object.assign(Timers, { TIMER_D: TIMER_D_MS, TIMER_I: TIMER_I_MS, TIMER_J: TIMER_J_MS, TIMER_K: TIMER_K_MS });

/** sip.js has ten million values. A CANCEL keeps its INVITE's branch. */
(ClientTransaction as unknown as { makeId: (request: OutgoingRequestMessage) => string }).makeId = (request) =>
  (request.method === 'CANCEL' ? request.branch : undefined) ?? makeBranch(request.fromTag);

/** Takes our requests to their sockets. */
export interface RequestTransport {
  readonly reliable: boolean;
  send(request: OutgoingRequest): Promise<void>;
}

/** Takes the answers to one request back. */
export interface ReplyTransport {
  readonly reliable: boolean;
  send(response: OutgoingResponse): Promise<void>;
}

export interface DialogCoreOptions {
  readonly clock: Clock;
  readonly localTag: string;
  /** Value of Contact. */
  readonly contact: string;
  /** Host and port of Via. */
  readonly sentBy: string;
  readonly product: string;
  readonly displayName: string;
  /** Value of Allow, which may change with whoever serves the dialog. Default: what every dialog serves. */
  readonly allow?: () => string;
  /** Extensions that a peer may use. Default: those of every dialog. */
  readonly supported?: readonly string[];
  readonly requests: RequestTransport;
  /** Who answers challenges; without it a challenge is a refusal like any other. */
  readonly credentials?: RequestCredentials | undefined;
  readonly onRetransmit: (method: string) => void;
  /** Neither a dialog nor a transaction is left. */
  readonly onIdle: () => void;
}

const silent = { error() {}, warn() {}, log() {}, debug() {} } as unknown as Logger;

class SilentLoggerFactory extends LoggerFactory {
  override getLogger(): Logger {
    return silent;
  }
}

// What sip.js keeps private or protected and we rely on.
interface TransactionInternals {
  readonly user: { receiveResponse?: (response: CoreResponse) => void };
  readonly lastFinalResponse?: string;
  send(text: string): Promise<void>;
  onTransportError(error: Error): void;
  timerB(): void;
  /** Acknowledges a refusal. */
  ack(response: CoreResponse): void;
}

interface ClientInternals {
  message: OutgoingRequestMessage;
  /** True: the response is the answer. False: the request was sent again. */
  authenticationGuard(response: unknown): boolean;
  /** Begins a transaction for `message`. */
  init(): void;
}

interface ServerInternals {
  toTag: string;
  readonly rejectable: boolean;
  readonly earlyDialog?: SessionDialog;
  reply(options: StackResponseOptions): StackResponse;
}

interface DialogInternals {
  readonly dialogState: { remoteTarget: URI };
  invite2xxTimer?: NodeJS.Timeout;
  sequenceGuard(message: CoreRequest): boolean;
}

const ofTransaction = (transaction: object): TransactionInternals => transaction as TransactionInternals;
const ofClient = (client: object): ClientInternals => client as ClientInternals;
const ofServer = (server: object): ServerInternals => server as ServerInternals;
const ofDialog = (dialog: object): DialogInternals => dialog as DialogInternals;

const loggerFactory = new SilentLoggerFactory();

/** A lost datagram or connection; whoever waits for the answer learns of it by its own timer. */
const ignoreLostMessage = (): void => {};

/** What sip.js takes for a message's text: it hands that on, or keeps it to hand it on again, and never looks inside. */
const asText = (message: OutgoingRequest | OutgoingResponse): string => message as unknown as string;

/** A request of ours as sip.js makes and keeps it. */
class StackRequest extends OutgoingRequestMessage {
  readonly #options: DialogCoreOptions;
  readonly #args: ConstructorParameters<typeof OutgoingRequestMessage>;
  #outgoing: OutgoingRequest | undefined;
  #credentials: readonly string[] | undefined;

  constructor(options: DialogCoreOptions, ...args: ConstructorParameters<typeof OutgoingRequestMessage>) {
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

/** What sip.js sends by. Requests of ours go their own way even while a request of the peer is being answered. */
class StackTransport implements Transport {
  /** For a Via that sip.js would write: ours names the transport by which the request really leaves. */
  readonly protocol = 'UDP';
  readonly #requests: RequestTransport;
  readonly #replies: ReplyTransport | undefined;

  constructor(requests: RequestTransport, replies?: ReplyTransport) {
    this.#requests = requests;
    this.#replies = replies;
  }

  get reliable(): boolean {
    return (this.#replies ?? this.#requests).reliable;
  }

  send(text: string): Promise<void> {
    const message: unknown = text;
    if (message instanceof OutgoingRequest) return this.#requests.send(message);
    if (typeof message === 'string') return Promise.reject(new Error('sip.js wrote a message of its own'));
    if (this.#replies === undefined) return Promise.reject(new Error('an answer to no request'));
    return this.#replies.send(message as OutgoingResponse);
  }
}

export class DialogUserAgentCore extends UserAgentCore {
  /** Stands in for every Request-URI: sip.js serves sip: only and compares the user part; the endpoint judged it. */
  readonly ownUri: URI;
  readonly #options: DialogCoreOptions;
  readonly #requests: StackTransport;
  readonly #retransmissions = new Set<Retransmission>();
  readonly #silenced = new WeakSet<ClientTransaction>();
  /** Of challenged requests: their clients have gone on to the next, and sip.js would leave their timers behind. */
  readonly #challenged = new Set<ClientTransaction>();
  #transport: StackTransport;
  #disposed = false;

  constructor(options: DialogCoreOptions, delegate: UserAgentCoreDelegate) {
    const { contact, supported = SUPPORTED } = options;
    const ownUri = new WireUri(contact);
    super(
      {
        aor: ownUri,
        contact: { pubGruu: undefined, tempGruu: undefined, uri: ownUri, toString: () => contact },
        displayName: options.displayName,
        loggerFactory,
        hackViaTcp: false,
        routeSet: [],
        sipjsId: '',
        supportedOptionTags: [...supported],
        supportedOptionTagsResponse: [...supported],
        userAgentHeaderFieldValue: options.product,
        viaForceRport: true,
        viaHost: options.sentBy,
        authenticationFactory: () => undefined,
        transportAccessor: () => this.#transport,
      },
      delegate,
    );
    this.#options = options;
    this.#requests = new StackTransport(options.requests);
    this.#transport = this.#requests;
    this.ownUri = ownUri;
    const removed = (): void => {
      if (!this.#disposed && this.idle) options.onIdle();
    };
    this.userAgentServers = new WatchedMap(removed, (server) => this.#addServer(server));
    this.userAgentClients = new WatchedMap(removed, (client) => this.#addClient(client));
    // An early dialog goes after the transaction that made it.
    this.dialogs = new WatchedMap(removed);
  }

  get idle(): boolean {
    return this.userAgentClients.size === 0 && this.userAgentServers.size === 0 && this.dialogs.size === 0;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  override dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const retransmission of this.#retransmissions) retransmission.stop();
    for (const transaction of this.#challenged) transaction.dispose();
    super.dispose();
  }

  /** Handles a request of the peer, whose answers, now and later, go by `replies`. */
  answering(replies: ReplyTransport, handle: () => void): void {
    this.#transport = new StackTransport(this.#options.requests, replies);
    try {
      handle();
    } finally {
      this.#transport = this.#requests;
    }
  }

  override replyStateless(
    message: CoreRequest,
    { statusCode, extraHeaders = [] }: StackResponseOptions,
  ): StackResponse {
    const headers = this.#responseHeaders(message.source, statusCode, extraHeaders);
    const text = asText(this.#response(message.source, statusCode, { headers }));
    this.transport.send(text).catch(ignoreLostMessage);
    return { message: text };
  }

  override makeOutgoingRequestMessage(
    ...[method, uri, from, to, options, ...rest]: Parameters<UserAgentCore['makeOutgoingRequestMessage']>
  ): OutgoingRequestMessage {
    const { displayName: fromDisplayName } = this.#options;
    return new StackRequest(this.#options, method, uri, from, to, { fromDisplayName, ...options }, ...rest);
  }

  /** The request is repeated no more; its answers are taken as ever. */
  silence(transaction: ClientTransaction): void {
    this.#silenced.add(transaction);
  }

  /** The request of ours that a response is for. */
  requestOf({ branch, cseq }: SipResponse): OutgoingRequestMessage | undefined {
    return (this.userAgentClients.get(branch + (cseq?.method ?? '')) as UserAgentClient | undefined)?.message;
  }

  #response(request: SipRequest, status: number, options: ResponseOptions): OutgoingResponse {
    return buildResponse(request, status, { toTag: this.#options.localTag, server: this.#options.product, ...options });
  }

  #addServer(server: UserAgentServer): void {
    const uas = ofServer(server);
    const { source } = server.message as CoreRequest;
    uas.toTag = source.toTag === '' ? this.#options.localTag : source.toTag;
    uas.reply = ({ statusCode, reasonPhrase, extraHeaders = [], body }) => {
      const response = this.#response(source, statusCode, {
        ...(reasonPhrase === undefined ? {} : { reason: reasonPhrase }),
        headers: this.#responseHeaders(source, statusCode, extraHeaders),
        // sip.js asks for a body even where offer and answer were exchanged before the 2xx.
        ...(body === undefined || body.content === '' ? {} : { body }),
      });
      const text = asText(response);
      (server.transaction as InviteServerTransaction).receiveResponse(statusCode, text);
      return { message: text };
    };
    const { transaction } = server;
    if (transaction instanceof InviteServerTransaction) this.#watchRefusal(transaction);
  }

  /** sip.js names its own methods in Allow, and forgets Contact in the 2xx of a re-INVITE, UPDATE or REFER. */
  #responseHeaders(request: SipRequest, status: number, headers: readonly string[]): string[] {
    const inDialog = request.toTag !== '';
    const kept = headers.filter(
      (line) => !line.startsWith('Allow: ') && !(inDialog && line.startsWith('Record-Route: ')),
    );
    const { allow, supported, contact } = this.#options;
    const introduces = /^(INVITE|UPDATE|REFER)$/.test(request.method);
    if (status >= 200 && status < 300 && introduces) {
      kept.push(`Allow: ${allow?.() ?? ALLOW}`, supportedLine(supported ?? SUPPORTED));
      if (inDialog) kept.push(`Contact: ${contact}`);
    }
    return kept;
  }

  /** Timer G: a refusal is repeated over UDP until its ACK (RFC 3261 §17.2.1). */
  #watchRefusal(transaction: InviteServerTransaction): void {
    if ((transaction.transport as StackTransport).reliable) return;
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
    this.#answerChallenges(client);
    if (transaction instanceof InviteClientTransaction) this.#acknowledge(transaction);
    if ((transaction.transport as StackTransport).reliable) return;
    const { request } = transaction;
    const message = (): string => request.toString();
    const invite = transaction instanceof InviteClientTransaction;
    this.#repeat(transaction, request.method, message, (state) => {
      if (this.#silenced.has(transaction)) return 'stop';
      if (state === TransactionState.Calling) return 'double';
      if (state === TransactionState.Trying) return 'backoff';
      return state === TransactionState.Proceeding && !invite ? 'slow' : 'stop';
    });
  }

  /**
   * A challenged request goes out again as the next of its dialog (RFC 3261 §22.2). The INVITE that opens the dialog is
   * its owner's to repeat. sip.js keeps one client over the transactions of a request.
   */
  #answerChallenges(client: UserAgentClient): void {
    const { credentials } = this.#options;
    if (credentials === undefined || Object.hasOwn(client, 'authenticationGuard')) return;
    const internals = ofClient(client);
    let answer: ReturnType<RequestCredentials['newRequest']> | undefined;
    internals.authenticationGuard = (response) => {
      if (!(response instanceof CoreResponse) || !isChallenge(response)) return true;
      const request = client.message as StackRequest;
      if (request.opensDialog || request.method === 'CANCEL') return true;
      const dialog = this.dialogs.get(request.callId + request.fromTag + request.toTag);
      // A BYE outlives the dialog, as its last request.
      if (dialog === undefined && request.method !== 'BYE') return true;
      answer ??= credentials.newRequest();
      if (!answer(response.source)) return true;
      const challenged = client.transaction as ClientTransaction;
      this.#challenged.add(challenged);
      challenged.addStateChangeListener(() => this.#challenged.delete(challenged), { once: true });
      dialog?.incrementLocalSequenceNumber();
      internals.message = request.again(dialog?.localSequenceNumber ?? request.cseq + 1);
      internals.init();
      return false;
    };
  }

  /**
   * sip.js would write the ACK of a refusal as text. A repeated refusal gets the same ACK again. The ACK of a 2xx gets
   * the credentials of its INVITE. A proxy passes on every 2xx, also after a refusal (RFC 3261 §16.7 step 5): sip.js
   * would drop it, and whoever picked up would wait for the ACK.
   */
  #acknowledge(transaction: InviteClientTransaction): void {
    const invite = transaction.request as StackRequest;
    transaction.receiveResponse = (response) => {
      const { statusCode = 0 } = response;
      if (transaction.state === TransactionState.Completed && statusCode >= 200 && statusCode < 300) {
        ofTransaction(transaction).user.receiveResponse?.(response as CoreResponse);
      } else InviteClientTransaction.prototype.receiveResponse.call(transaction, response);
    };
    transaction.ackResponse = (ack) => {
      (ack as StackRequest).repeatCredentials(invite);
      InviteClientTransaction.prototype.ackResponse.call(transaction, ack);
    };
    let ack: OutgoingRequest | undefined;
    ofTransaction(transaction).ack = (response) => {
      const to = response.getHeader('to') ?? '';
      if (ack?.parts.to !== to) ack = invite.ackOfRefusal(to);
      ofTransaction(transaction).send(asText(ack)).catch(ignoreLostMessage);
    };
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
}

function isChallenge({ statusCode }: CoreResponse): boolean {
  return statusCode === 401 || statusCode === 407;
}

// ── Single touches, for SipCore ──

export function earlyDialogOf(server: InviteUserAgentServer): SessionDialog | undefined {
  return ofServer(server).earlyDialog;
}

export function isRejectable(server: InviteUserAgentServer): boolean {
  return ofServer(server).rejectable;
}

/** The very bytes of an answer once more, past the state of its transaction. */
export function repeatResponse(server: InviteUserAgentServer, text: string): void {
  ofTransaction(server.transaction).send(text).catch(ignoreLostMessage);
}

/** As if the transport had refused the message (RFC 3261 §17.1.4). */
export function failTransaction(transaction: ClientTransaction, error: Error): void {
  ofTransaction(transaction).onTransportError(new TransportError(error.message));
}

/** Timer B before its time. */
export function expireTransaction(transaction: ClientTransaction): void {
  ofTransaction(transaction).timerB();
}

/** Takes note of a request's CSeq in the dialog; false when it was out of order, which is answered then. */
export function acceptSequence(dialog: SessionDialog, message: CoreRequest): boolean {
  if (!ofDialog(dialog).sequenceGuard(message)) return false;
  Dialog.prototype.receiveRequest.call(dialog, message);
  return true;
}

/**
 * A re-INVITE says that our 2xx has come, even when its ACK has not. sip.js has one timer for the repetitions of every
 * 2xx of a dialog, and those of the first would go on for ever once another's begin.
 */
export function stopRepeating2xx(dialog: SessionDialog): void {
  clearTimeout(ofDialog(dialog).invite2xxTimer);
}

export function refreshTarget(dialog: SessionDialog, uri: string): void {
  ofDialog(dialog).dialogState.remoteTarget = new WireUri(uri);
}
