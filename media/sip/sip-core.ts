import { InviteServerTransaction, TransactionState, UserAgentServer } from 'sip.js/lib/core/index.js';

import { DialogRequests } from './dialog-requests';
import { finishedTransactions } from './finished-transactions';
import { ALLOW } from './message/methods';
import { contactUri } from './message/validation';
import { openExchange, retryAfterLine } from './open-exchange';
import { dialogOf, receivePrack, receiveSubscription, receiveUpdate, refresh } from './peer-requests';
import { rackFor } from './reliable-provisional';
import { DialogUserAgentCore } from './sipjs-adapter';
import {
  acceptSequence,
  earlyDialogOf,
  expireTransaction,
  failTransaction,
  isRejectable,
  refreshTarget,
  repeatResponse,
  stopRepeating2xx,
} from './sipjs-internals';
import { CoreRequest, CoreResponse, NO_TAG, sessionBody, WireUri } from './sipjs-messages';

import type { InviteUserAgentClient, InviteUserAgentServer, SessionDialog } from 'sip.js/lib/core/index.js';
import type { CoreAnswer, CoreEvents } from './core-events';
import type { InDialogRequest, InDialogResult } from './dialog-requests';
import type { FinishedTransaction } from './finished-transactions';
import type { SipRequest, SipResponse } from './message/message';
import type { DialogCoreOptions } from './sipjs-adapter';
import type { ReplyTransport } from './stack-transport';

interface SipCoreOptions extends DialogCoreOptions {
  readonly events: CoreEvents;
}

interface ClientInvite {
  readonly requestUri: string;
  /** Values of Route. */
  readonly routes?: readonly string[];
  readonly fromUri: string;
  readonly toUri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly headers: readonly string[];
  readonly sdp: string;
}

type ByeResult = 'answered' | 'timeout' | 'transport_error';

/** Transactions and dialogs of one call, in either direction, on a core of its own. */
export class SipCore {
  readonly #options: SipCoreOptions;
  readonly #core: DialogUserAgentCore;
  #server: InviteUserAgentServer | undefined;
  #client: InviteUserAgentClient | undefined;
  /** INVITEs in whose place another was sent: whoever takes them up after all is called off. */
  readonly #abandoned = new WeakSet<InviteUserAgentClient>();
  #dialog: SessionDialog | undefined;
  #target = '';
  /** Remote target before the re-INVITE that is being answered. */
  #targetBefore = '';
  readonly #requests: DialogRequests;
  #transportError: Error | undefined;
  #byeSent = false;

  constructor(options: SipCoreOptions) {
    this.#options = options;
    this.#core = new DialogUserAgentCore(options, {
      onInvite: (request) => this.#serverInvite(request as unknown as InviteUserAgentServer),
    });
    const { clock, contact } = options;
    this.#requests = new DialogRequests({ core: this.#core, clock, contact, allow: () => this.#allow });
  }

  get idle(): boolean {
    return this.#core.idle;
  }

  get disposed(): boolean {
    return this.#core.disposed;
  }

  /** See `finishedTransactions`. */
  get finished(): readonly FinishedTransaction[] | null {
    return finishedTransactions(this.#core);
  }

  /** @param key identifies the server transaction: branch, sent-by and method, ACK and CANCEL under their INVITE */
  receiveRequest(request: SipRequest, key: string, replies: ReplyTransport): void {
    const message = new CoreRequest(request, this.#matchingKey(request, key), this.#core.ownUri);
    this.#targetBefore = this.remoteTarget;
    const { events } = this.#options;
    this.#core.answering(replies, () => {
      if (request.method === 'UPDATE') receiveUpdate(this.#core, events, message);
      else if (request.method === 'PRACK') receivePrack(this.#core, events, message);
      else if (request.method === 'INVITE' && this.#refusesInvite(message)) return;
      else if (request.method === 'REFER' || request.method === 'NOTIFY')
        receiveSubscription(this.#core, events, message);
      else if (request.method === 'BYE' && this.#crossesOurBye(message)) this.#answerCrossedBye(message);
      else this.#core.receiveIncomingRequestFromTransport(message);
    });
  }

  receiveResponse(response: SipResponse): void {
    const message = new CoreResponse(response, this.#target, this.#core.requestOf(response));
    this.#core.receiveIncomingResponseFromTransport(message);
  }

  // ── The call that came in ──

  trying(): void {
    this.#invited.trying();
  }

  /** Gives what sends the 180 once more. */
  ring(headers: readonly string[] = [], offer?: string): () => void {
    const invited = this.#invited;
    const body = offer === undefined ? {} : { body: sessionBody(offer) };
    const { message } = invited.progress({ statusCode: 180, extraHeaders: [...headers], ...body });
    this.#adopt(earlyDialogOf(invited));
    return () => repeatResponse(invited, message);
  }

  /** @param sdp empty when offer and answer were exchanged before */
  accept(sdp: string, headers: readonly string[] = []): void {
    const accepted = this.#invited.accept({ statusCode: 200, extraHeaders: [...headers], body: sessionBody(sdp) });
    this.#adopt(accepted.session as SessionDialog);
  }

  reject(status: number, reason: string | undefined, headers: readonly string[] = []): void {
    if (!this.rejectable) return;
    const phrase = reason === undefined ? {} : { reasonPhrase: reason };
    this.#invited.reject({ statusCode: status, extraHeaders: [...headers], ...phrase });
  }

  get rejectable(): boolean {
    return this.#server !== undefined && isRejectable(this.#server);
  }

  // ── The call that goes out ──

  invite(invite: ClientInvite): void {
    this.#target = invite.requestUri;
    const message = this.#core.makeOutgoingRequestMessage(
      'INVITE',
      new WireUri(invite.requestUri),
      new WireUri(invite.fromUri),
      new WireUri(invite.toUri),
      {
        callId: invite.callId,
        cseq: invite.cseq,
        fromTag: this.#options.localTag,
        routeSet: [...(invite.routes ?? [])],
      },
      [`Contact: ${this.#options.contact}`, `Allow: ${this.#allow}`, ...invite.headers],
      sessionBody(invite.sdp),
    );
    const { events } = this.#options;
    let refused = false;
    const client = this.#core.invite(message, {
      onProgress: ({ message: response, session: dialog }) => {
        const { source } = response as CoreResponse;
        this.#acknowledge(source, dialog as SessionDialog);
        if (!this.#abandoned.has(client)) events.onProgress?.(source);
      },
      onAccept: (accepted) => {
        const { message: response, session: dialog } = accepted;
        // An early dialog may have been made without a Contact; the 2xx has the one that counts.
        const contact = contactUri((response as CoreResponse).source);
        if (contact !== null) refreshTarget(dialog as SessionDialog, contact);
        accepted.ack();
        // A second 2xx is another fork, and so is one after a refusal: acknowledged and hung up (RFC 3261 §13.2.2.4).
        if (refused || this.#dialog !== undefined || this.#abandoned.has(client)) {
          dialog.bye();
          return;
        }
        this.#adopt(dialog as SessionDialog);
        events.onAccept?.((response as CoreResponse).source);
      },
      onRedirect: ({ message: response }) => {
        refused = true;
        if (!this.#abandoned.has(client)) events.onReject?.((response as CoreResponse).source);
      },
      onReject: ({ message: response }) => {
        refused = true;
        if (this.#abandoned.has(client)) return;
        if (response instanceof CoreResponse) events.onReject?.(response.source);
        else if (response.statusCode === 408) events.onTimeout?.();
        else events.onTransportError?.(this.#transportError ?? new Error('transport error'));
      },
    }) as InviteUserAgentClient;
    this.#client = client;
  }

  /**
   * Nothing was heard of the INVITE, and another takes its place. It is not repeated; a provisional answer that comes
   * late gets a CANCEL (RFC 3261 §9.1), a 2xx its ACK and a BYE.
   */
  abandonInvite(): void {
    const client = this.#client;
    if (client === undefined || !this.calling) return;
    this.#abandoned.add(client);
    this.#core.silence(client.transaction);
    client.cancel();
  }

  /** Whether a response is for the INVITE that was sent last. */
  answersInvite({ branch }: SipResponse): boolean {
    return this.#client?.transaction.id === branch;
  }

  /** Nothing was received for the INVITE so far. */
  get calling(): boolean {
    return this.#client?.transaction.state === TransactionState.Calling;
  }

  /** The network says that the peer cannot be reached; it counts while nothing else was heard. */
  failInvite(error: Error): void {
    if (!this.calling) return;
    this.#transportError = error;
    failTransaction(this.#client!.transaction, error);
  }

  /** Timer B before its time. */
  expireInvite(): void {
    if (this.calling) expireTransaction(this.#client!.transaction);
  }

  /** Sent at once in Proceeding, after the first provisional in Calling (RFC 3261 §9.1). */
  cancel(reason: string | undefined): void {
    if (this.#client !== undefined && !this.#abandoned.has(this.#client)) this.#client.cancel(reason);
  }

  // ── In the dialog ──

  /** Our 2xx has no ACK yet, so a BYE must wait (RFC 3261 §15). */
  get awaitingAck(): boolean {
    return this.#dialog?.sessionState === 'AckWait' && this.#server?.transaction.state !== TransactionState.Terminated;
  }

  bye(headers: readonly string[], done: (result: ByeResult) => void): void {
    const dialog = this.#dialog;
    if (dialog === undefined) return;
    this.#byeSent = true;
    dialog.bye(
      {
        onAccept: () => done('answered'),
        onRedirect: () => done('answered'),
        onReject: ({ message }) => {
          if (message instanceof CoreResponse) done('answered');
          else done(message.statusCode === 408 ? 'timeout' : 'transport_error');
        },
      },
      { extraHeaders: [...headers] },
    );
  }

  /** Any other request of ours in the dialog. `done` is called once, or never after `dispose`. */
  request(request: InDialogRequest, done: (result: InDialogResult) => void): void {
    if (this.#dialog === undefined) done('transport_error');
    else this.#requests.send(this.#dialog, request, done);
  }

  /** CSeq of our last request in the dialog; 0 before the first. */
  get localSequence(): number {
    return this.#dialog?.localSequenceNumber ?? 0;
  }

  /** Whether there is, or was, a dialog with this tag of the peer's. Without one a peer of RFC 2543 has the tag 0. */
  hasDialogWith(remoteTag: string): boolean {
    const { localTag } = this.#options;
    const tags = remoteTag === '0' ? ['0', '', NO_TAG] : [remoteTag];
    const dialogs = [...this.#core.dialogs.values(), ...(this.#dialog === undefined ? [] : [this.#dialog])];
    return dialogs.some((dialog) => dialog.localTag === localTag && tags.includes(dialog.remoteTag));
  }

  /** Of the peer's side; null before there is a dialog, and where the peer has none (RFC 2543). */
  get remoteTag(): string | null {
    const tag = this.#dialog?.remoteTag ?? '';
    return tag === '' || tag === NO_TAG ? null : tag;
  }

  /** Request-URI of our requests in the dialog. */
  get remoteTarget(): string {
    return this.#dialog?.remoteTarget.toString() ?? this.#target;
  }

  /** Our side of From and To; empty before there is a dialog. */
  get localUri(): string {
    return this.#dialog?.localURI.toString() ?? '';
  }

  dispose(): void {
    this.#requests.dispose();
    this.#core.dispose();
  }

  get #allow(): string {
    return this.#options.allow?.() ?? ALLOW;
  }

  get #invited(): InviteUserAgentServer {
    if (this.#server === undefined) throw new Error('no INVITE was received');
    return this.#server;
  }

  /** An ACK of a 2xx must reach the dialog even when a peer repeats the branch of its INVITE. */
  #matchingKey(request: SipRequest, key: string): string {
    if (request.method !== 'ACK') return key;
    const server = this.#core.userAgentServers.get(key);
    return server?.transaction.state === TransactionState.Accepted ? `${key} ack` : key;
  }

  #crossesOurBye(message: CoreRequest): boolean {
    return this.#byeSent && this.#dialog?.id === message.callId + message.toTag + message.fromTag;
  }

  /** sip.js forgets a dialog with its BYE; a peer that hangs up at the same time is answered (RFC 5407 §3.2.1). */
  #answerCrossedBye(message: CoreRequest): void {
    this.#core.replyStateless(message, { statusCode: 200 });
    this.#options.events.onBye?.(message.source);
  }

  #serverInvite(server: InviteUserAgentServer): void {
    this.#server = server;
    this.#target = (server.message as CoreRequest).from.uri.toString();
    server.delegate = {
      onCancel: () => this.#options.events.onCancel?.(),
    };
    this.#options.events.onInvite?.();
  }

  #adopt(dialog: SessionDialog | undefined): void {
    if (dialog === undefined || dialog === this.#dialog) return;
    this.#dialog = dialog;
    const { events } = this.#options;
    dialog.delegate = {
      onAck: ({ message }) => {
        // Our offer in the 2xx of a re-INVITE stays without answer: what was agreed before holds (RFC 3261 §14.1).
        dialog.signalingStateRollback();
        events.onAck?.((message as CoreRequest).source);
        this.#requests.sendWaiting();
      },
      onAckTimeout: () => {
        // sip.js tells of it 32 s after the 2xx even when the dialog has long ended by BYE.
        if (this.#core.dialogs.has(dialog.id)) events.onAckTimeout?.();
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
        const answer = refresh(events, (invite.message as CoreRequest).source);
        if (answer.sdp === undefined) {
          // Refused, it changes nothing, the remote target included (RFC 6141 §4.4).
          refreshTarget(dialog, this.#targetBefore);
          this.#refuseInvite(invite as unknown as UserAgentServer, answer);
          return;
        }
        stopRepeating2xx(dialog);
        this.#freeReinvite(invite as unknown as UserAgentServer);
        const headers = [...(answer.headers ?? [])];
        invite.accept({ statusCode: 200, extraHeaders: headers, body: sessionBody(answer.sdp) });
      },
    };
  }

  /** Once it is acknowledged, one of ours that waits may go. */
  #refuseInvite(server: UserAgentServer, { status, headers = [] }: CoreAnswer): void {
    server.transaction.addStateChangeListener(() => this.#requests.sendWaiting());
    server.reject({ statusCode: status, extraHeaders: [...headers] });
  }

  /** sip.js refuses all later re-INVITEs when the ACK of one never came; RFC 3261 §14.2 asks for a BYE instead. */
  #freeReinvite(server: UserAgentServer): void {
    const { transaction } = server;
    transaction.addStateChangeListener(() => {
      if (transaction.state !== TransactionState.Terminated || this.#dialog === undefined || this.#core.disposed)
        return;
      if ((this.#dialog.reinviteUserAgentServer as UserAgentServer | undefined) !== server) return;
      this.#dialog.reinviteUserAgentServer = undefined;
      if (this.#core.dialogs.has(this.#dialog.id)) this.#options.events.onAckTimeout?.();
    });
  }

  /** PRACK of a reliable provisional answer; sip.js has put them in order and dropped repetitions (RFC 3262 §4). */
  #acknowledge(response: SipResponse, dialog: SessionDialog): void {
    const rack = rackFor(response);
    if (rack !== null) this.#requests.send(dialog, { method: 'PRACK', headers: [`RAck: ${rack}`] }, () => undefined);
  }

  /**
   * RFC 3261 §14.2: no second exchange while one is open; false when none is. sip.js refuses it too, but keeps nothing
   * of that: a repetition would count as out of order.
   */
  #refusesInvite(message: CoreRequest): boolean {
    const dialog = dialogOf(this.#core, message);
    if (dialog === undefined || this.#core.userAgentServers.has(message.viaBranch)) return false;
    const open = openExchange(dialog, this.#server === undefined ? 'ours' : 'theirs');
    if (open === null) return false;
    if (!acceptSequence(dialog, message)) return true;
    const server = new UserAgentServer(InviteServerTransaction, this.#core, message);
    this.#refuseInvite(server, open === 'ours' ? { status: 491 } : { status: 500, headers: [retryAfterLine()] });
    return true;
  }
}
