import {
  InviteClientTransaction,
  InviteServerTransaction,
  LoggerFactory,
  TransactionState,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';

import { ALLOW } from './message/methods';
import { buildResponse } from './message/serialiser';
import { SUPPORTED, supportedLine } from './message/validation';
import { Retransmission } from './retransmission';
import { asText, ignoreLostMessage, ofClient, ofServer, ofTransaction } from './sipjs-internals';
import { CoreResponse, WireUri } from './sipjs-messages';
import { StackRequest } from './stack-request';
import { StackTransport } from './stack-transport';
import { WatchedMap } from './watched-map';

import type {
  ClientTransaction,
  Logger,
  OutgoingRequestMessage,
  OutgoingResponse as StackResponse,
  ResponseOptions as StackResponseOptions,
  URI,
  UserAgentClient,
  UserAgentCoreDelegate,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock';
import type { RequestCredentials } from './auth/request-credentials';
import type { SipRequest, SipResponse } from './message/message';
import type { OutgoingRequest } from './message/outgoing-request';
import type { OutgoingResponse, ResponseOptions } from './message/serialiser';
import type { Pace } from './retransmission';
import type { CoreRequest } from './sipjs-messages';
import type { StackRequestOptions } from './stack-request';
import type { ReplyTransport, RequestTransport } from './stack-transport';

/**
 * Gives each call a UserAgentCore with what sip.js lacks: timers A, E and G, durations D, I, J and K, unguessable
 * branches, an end that can be noticed. Messages of ours pass through sip.js as objects, which our serialiser writes.
 */

export interface DialogCoreOptions extends StackRequestOptions {
  readonly clock: Clock;
  readonly localTag: string;
  /** Value of Contact. */
  readonly contact: string;
  readonly displayName: string;
  /** Value of Allow, which may change with whoever serves the dialog. Default: what every dialog serves. */
  readonly allow?: () => string;
  readonly requests: RequestTransport;
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

const loggerFactory = new SilentLoggerFactory();

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
