import {
  NonInviteServerTransaction,
  SignalingState,
  TransactionState,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';

import { sdpOf } from './message/body';
import { ALLOW } from './message/methods';
import { contactUri } from './message/validation';
import {
  acceptSequence,
  DialogUserAgentCore,
  earlyDialogOf,
  expireTransaction,
  failTransaction,
  isRejectable,
  refreshTarget,
} from './sipjs-adapter';
import { CoreRequest, CoreResponse, SDP, WireUri } from './sipjs-messages';

import type { Body, InviteUserAgentClient, InviteUserAgentServer, SessionDialog } from 'sip.js/lib/core/index.js';
import type { SipRequest, SipResponse } from './message/message';
import type { DialogCoreOptions, ReplyTransport } from './sipjs-adapter';

/** What happens on the call. Requests that need an answer are answered by what the callback returns. */
export interface CoreEvents {
  onInvite?(): void;
  onCancel?(): void;
  onAck?(request: SipRequest): void;
  onAckTimeout?(): void;
  onBye?(request: SipRequest): void;
  onInfo?(request: SipRequest): CoreAnswer;
  onReoffer?(sdp: string | null): CoreAnswer;
  /** Provisional other than 100. */
  onProgress?(response: SipResponse): void;
  onAccept?(response: SipResponse): void;
  onReject?(response: SipResponse): void;
  onTimeout?(): void;
  onTransportError?(error: Error): void;
}

export interface CoreAnswer {
  readonly status: number;
  readonly sdp?: string;
  readonly headers?: readonly string[];
}

interface SipCoreOptions extends DialogCoreOptions {
  readonly events: CoreEvents;
}

interface ClientInvite {
  readonly requestUri: string;
  readonly fromUri: string;
  readonly toUri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly headers: readonly string[];
  readonly sdp: string;
}

type ByeResult = 'answered' | 'timeout' | 'transport_error';

const session = (content: string): Body => ({ contentDisposition: 'session', contentType: SDP, content });

/** Transactions and dialogs of one call, in either direction, on a core of its own. */
export class SipCore {
  readonly #options: SipCoreOptions;
  readonly #core: DialogUserAgentCore;
  #server: InviteUserAgentServer | undefined;
  #client: InviteUserAgentClient | undefined;
  #dialog: SessionDialog | undefined;
  #target = '';
  #transportError: Error | undefined;
  #byeSent = false;

  constructor(options: SipCoreOptions) {
    this.#options = options;
    this.#core = new DialogUserAgentCore(options, {
      onInvite: (request) => this.#serverInvite(request as unknown as InviteUserAgentServer),
    });
  }

  get idle(): boolean {
    return this.#core.idle;
  }

  /** @param key identifies the server transaction: branch, sent-by and method, ACK and CANCEL under their INVITE */
  receiveRequest(request: SipRequest, key: string, replies: ReplyTransport): void {
    const message = new CoreRequest(request, this.#matchingKey(request, key), this.#core.ownUri);
    this.#core.answering(replies, () => {
      if (request.method === 'UPDATE') this.#receiveUpdate(message);
      else if (request.method === 'BYE' && this.#crossesOurBye(message)) this.#answerCrossedBye(message);
      else this.#core.receiveIncomingRequestFromTransport(message);
    });
  }

  receiveResponse(response: SipResponse): void {
    this.#core.receiveIncomingResponseFromTransport(new CoreResponse(response, this.#target));
  }

  // ── The call that came in ──

  trying(): void {
    this.#invited.trying();
  }

  ring(): void {
    this.#invited.progress({ statusCode: 180 });
    this.#adopt(earlyDialogOf(this.#invited));
  }

  accept(sdp: string): void {
    const accepted = this.#invited.accept({ statusCode: 200, body: session(sdp) });
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
      { callId: invite.callId, cseq: invite.cseq, fromTag: this.#options.localTag },
      [`Contact: ${this.#options.contact}`, `Allow: ${ALLOW}`, ...invite.headers],
      session(invite.sdp),
    );
    const { events } = this.#options;
    this.#client = this.#core.invite(message, {
      onProgress: ({ message: response }) => events.onProgress?.((response as CoreResponse).source),
      onAccept: (accepted) => {
        const { message: response, session: dialog } = accepted;
        // An early dialog may have been made without a Contact; the 2xx has the one that counts.
        const contact = contactUri((response as CoreResponse).source);
        if (contact !== null) refreshTarget(dialog as SessionDialog, contact);
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
    failTransaction(this.#client!.transaction, error);
  }

  /** Timer B before its time. */
  expireInvite(): void {
    if (this.calling) expireTransaction(this.#client!.transaction);
  }

  /** Sent at once in Proceeding, after the first provisional in Calling (RFC 3261 §9.1). */
  cancel(reason: string | undefined): void {
    this.#client?.cancel(reason);
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

  dispose(): void {
    this.#core.dispose();
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
      onAck: ({ message }) => events.onAck?.((message as CoreRequest).source),
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
      if (transaction.state !== TransactionState.Terminated || this.#dialog === undefined || this.#core.disposed)
        return;
      if ((this.#dialog.reinviteUserAgentServer as UserAgentServer | undefined) !== server) return;
      this.#dialog.reinviteUserAgentServer = undefined;
      if (this.#core.dialogs.has(this.#dialog.id)) this.#options.events.onAckTimeout?.();
    });
  }

  #reoffer(request: SipRequest): CoreAnswer {
    return this.#options.events.onReoffer?.(sdpOf(request)) ?? { status: 488 };
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
    if (!acceptSequence(dialog, message)) return;
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
    if (contact !== null) refreshTarget(dialog, contact);
    const answer = offer ? this.#reoffer(message.source) : { status: 200 };
    if (answer.status >= 300) {
      server.reject({ statusCode: answer.status, extraHeaders: [...(answer.headers ?? [])] });
      return;
    }
    const body = answer.sdp === undefined ? {} : { body: session(answer.sdp) };
    server.accept({ statusCode: 200, extraHeaders: [...(answer.headers ?? [])], ...body });
  }
}
