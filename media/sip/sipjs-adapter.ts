import { randomBytes } from 'node:crypto';

import {
  ClientTransaction,
  Dialog,
  InviteClientTransaction,
  InviteServerTransaction,
  LoggerFactory,
  Timers,
  TransactionState,
  TransportError,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';

import { ALLOW } from './message/methods';
import { buildResponse } from './message/serialiser';
import { SUPPORTED } from './message/validation';
import { Retransmission } from './retransmission';
import { WireUri } from './sipjs-messages';
import { TIMER_D_MS, TIMER_I_MS, TIMER_J_MS, TIMER_K_MS } from './timers';

import type {
  InviteUserAgentServer,
  Logger,
  OutgoingRequestMessage,
  OutgoingResponse,
  ResponseOptions as StackResponse,
  SessionDialog,
  URI,
  UserAgentClient,
  UserAgentCoreDelegate,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock';
import type { SipRequest } from './message/message';
import type { ResponseOptions } from './message/serialiser';
import type { Pace } from './retransmission';
import type { CoreRequest } from './sipjs-messages';

/**
 * The one file that touches what is internal to sip.js. It gives each call a UserAgentCore with what sip.js lacks:
 * timers A, E and G, durations D, I, J and K, unguessable branches, responses by our serialiser, an end that can be
 * noticed. Each internal that is relied upon has a test that fails when an upgrade moves it.
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

export interface CallCoreOptions {
  readonly clock: Clock;
  readonly localTag: string;
  /** Value of Contact, and of Via's sent-by. */
  readonly contact: string;
  readonly viaHost: string;
  readonly product: string;
  readonly displayName: string;
  /** Transport of the requests that we send. */
  readonly transport: CoreTransport;
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

/** A map that tells of each entry that enters or leaves. */
class WatchedMap<T> extends Map<string, T> {
  readonly #onAdd: (value: T) => void;
  readonly #onRemove: () => void;

  constructor(onRemove: () => void, onAdd: (value: T) => void = () => {}) {
    super();
    this.#onAdd = onAdd;
    this.#onRemove = onRemove;
  }

  override set(key: string, value: T): this {
    super.set(key, value);
    this.#onAdd(value);
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

const loggerFactory = new SilentLoggerFactory();

/** A lost datagram or connection; whoever waits for the answer learns of it by its own timer. */
const ignoreLostMessage = (): void => {};

export class CallCore extends UserAgentCore {
  /** Set while a request is handled: where its responses go. */
  replyTransport: CoreTransport | undefined;
  /** Stands in for every Request-URI: sip.js serves sip: only and compares the user part; the endpoint judged it. */
  readonly ownUri: URI;
  readonly #options: CallCoreOptions;
  readonly #retransmissions = new Set<Retransmission>();
  #disposed = false;

  constructor(options: CallCoreOptions, delegate: UserAgentCoreDelegate) {
    const { contact } = options;
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
        supportedOptionTags: [...SUPPORTED],
        supportedOptionTagsResponse: [...SUPPORTED],
        userAgentHeaderFieldValue: options.product,
        viaForceRport: true,
        viaHost: options.viaHost,
        authenticationFactory: () => undefined,
        transportAccessor: () => this.replyTransport ?? options.transport,
      },
      delegate,
    );
    this.#options = options;
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
    super.dispose();
  }

  override replyStateless(message: CoreRequest, { statusCode, extraHeaders = [] }: StackResponse): OutgoingResponse {
    const headers = this.#responseHeaders(message.source, statusCode, extraHeaders);
    const text = this.#response(message.source, statusCode, { headers });
    this.transport.send(text).catch(ignoreLostMessage);
    return { message: text };
  }

  override makeOutgoingRequestMessage(
    ...args: Parameters<UserAgentCore['makeOutgoingRequestMessage']>
  ): OutgoingRequestMessage {
    const message = super.makeOutgoingRequestMessage(...args);
    if (args[0] === 'ACK') {
      // The transaction gives the ACK of a 2xx a branch of ten million values.
      const setViaHeader = message.setViaHeader.bind(message);
      message.setViaHeader = (_branch, protocol) => setViaHeader(makeBranch(), protocol);
    }
    if (SUPPORTED.length === 0) {
      const text = message.toString.bind(message);
      message.toString = () => text().replace('\r\nSupported: \r\n', '\r\n');
    }
    return message;
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
      kept.push(`Allow: ${ALLOW}`);
      if (SUPPORTED.length > 0) kept.push(`Supported: ${SUPPORTED.join(', ')}`);
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
}

// ── Single touches, for SipCore ──

export function earlyDialogOf(server: InviteUserAgentServer): SessionDialog | undefined {
  return ofServer(server).earlyDialog;
}

export function isRejectable(server: InviteUserAgentServer): boolean {
  return ofServer(server).rejectable;
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

export function refreshTarget(dialog: SessionDialog, uri: string): void {
  ofDialog(dialog).dialogState.remoteTarget = new WireUri(uri);
}
