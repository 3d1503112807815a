import { DialogLifecycle } from './dialog-lifecycle';
import { EndedDialog } from './ended-dialog';
import { sdpOf } from './message/body';
import { encodeWireText } from './message/message';
import { demandsReliable, ReliableProvisional } from './reliable-provisional';

import type { DialogDelegate, InboundDialog, PeerLife, ReofferOutcome } from './dialog';
import type { DialogContext } from './dialog-context';
import type { RoutedDialog } from './dialog-table';
import type { Flow } from './edge/flow';
import type { FinishedTransaction } from './finished-transactions';
import type { InboundInvite } from './invite';
import type { SipRequest, SipResponse } from './message/message';
import type { OwnAddress } from './own-address';
import type { ReasonHeader } from './reason';
import type { ReplacesHeader } from './refer/replaces';
import type { ReferOutcome, ReferRequest } from './refer/sent-refer';
import type { ReplaceableDialog } from './replaced-dialog';
import type { SipCore } from './sip-core';

interface UasDialogOptions {
  readonly context: DialogContext;
  readonly request: SipRequest;
  readonly invite: InboundInvite;
  readonly localTag: string;
  readonly flow: Flow;
  readonly ownAddress: OwnAddress;
}

const CONTACT_USER = 'trunkline';

/** The dialog of a call that came in, from its authenticated INVITE on. */
export class UasDialog implements InboundDialog, RoutedDialog {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly invite: InboundInvite;
  readonly #context: DialogContext;
  readonly #request: SipRequest;
  readonly #session: DialogLifecycle;
  readonly #core: SipCore;
  /** Our 180 to a caller that demands it reliable. */
  #ringing: ReliableProvisional | undefined;

  constructor({ context, request, invite, localTag, flow, ownAddress }: UasDialogOptions) {
    this.sipCallId = invite.sipCallId;
    this.localTag = localTag;
    this.invite = invite;
    this.#context = context;
    this.#request = request;
    this.#session = new DialogLifecycle({
      context,
      sipCallId: invite.sipCallId,
      localTag,
      ownsCallId: false,
      onIdle: () => context.onIdle(this),
      onEnded: (transactions) => this.#ended(transactions),
    });
    this.#core = this.#session.open({
      contact: ownAddress.contact(CONTACT_USER, flow.transport),
      sentBy: ownAddress.sentBy,
      displayName: '',
      inviteFlow: () => flow,
      events: {
        onInvite: () => this.#core.trying(),
        onCancel: () => this.#cancelled(),
        onBye: (request) => this.#peerBye(request),
        acknowledges: (prack) => this.#ringing?.acknowledgedBy(prack) === true,
        onPrack: (prack) => this.#session.notify((delegate) => delegate.onPrack?.(sdpOf(prack))),
      },
    });
  }

  get delegate(): DialogDelegate {
    return this.#session.delegate;
  }

  set delegate(delegate: DialogDelegate) {
    this.#session.delegate = delegate;
  }

  ring(offer: () => string): void {
    if (this.#session.state !== 'setup') return;
    if (!demandsReliable(this.#request)) {
      this.#core.ring();
      return;
    }
    const ringing = new ReliableProvisional({
      clock: this.#context.clock,
      cseq: this.invite.cseq,
      repeat: () => {
        this.#context.counters.retransmitted('INVITE');
        repeat();
      },
      onTimeout: () => this.#unacknowledged(),
    });
    this.#ringing = ringing;
    // RFC 3262 §5: the first reliable answer to an INVITE without offer has the offer.
    const repeat = this.#core.ring(ringing.headers, this.invite.offer === null ? offer() : undefined);
    ringing.sent();
  }

  answer(sdp: string | null): void {
    if (this.#session.state !== 'setup') return;
    // RFC 3262 §3: no 2xx while an offer in a reliable answer is open.
    if (sdp === null && this.#ringing?.acknowledged !== true) throw new Error('the offer in our 180 has no answer yet');
    this.#ringing?.stop();
    this.#session.transition('established');
    this.#core.accept(sdp ?? '', this.#session.refresh.grant(this.#request));
  }

  reject(
    status: number,
    options: { readonly reason?: string; readonly retryAfterSeconds?: number; readonly warning?: string } = {},
  ): void {
    if (this.#session.state !== 'setup') return;
    this.#ringing?.stop();
    const headers: string[] = [];
    if (options.retryAfterSeconds !== undefined) headers.push(`Retry-After: ${Math.ceil(options.retryAfterSeconds)}`);
    if (options.warning !== undefined) headers.push(`Warning: ${encodeWireText(options.warning)}`);
    this.#core.reject(status, options.reason === undefined ? undefined : encodeWireText(options.reason), headers);
    this.#session.close('normal');
  }

  bye(reason?: ReasonHeader): void {
    if (this.#session.state === 'setup') this.reject(480);
    else this.#session.bye(reason);
  }

  probe(): Promise<PeerLife> {
    return this.#session.probe();
  }

  reoffer(sdp: string | (() => string)): Promise<ReofferOutcome> {
    return this.#session.reoffer(sdp);
  }

  info(contentType: string, body: string): Promise<boolean> {
    return this.#session.info(contentType, body);
  }

  refer(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome> {
    return this.#session.refers.refer(request, onProgress);
  }

  get remoteTarget(): string {
    return this.#core.remoteTarget;
  }

  get localUri(): string {
    return this.#core.localUri;
  }

  peerAllows(method: string): boolean {
    return this.#session.peerCapabilities.allows(method);
  }

  peerSupports(option: string): boolean {
    return this.#session.peerCapabilities.supports(option);
  }

  get replacesAtPeer(): ReplacesHeader | null {
    const toTag = this.#core.remoteTag;
    if (toTag === null || this.#session.state !== 'established') return null;
    return { sipCallId: this.sipCallId, toTag, fromTag: this.localTag, earlyOnly: false };
  }

  asReplaced(remoteTag: string): ReplaceableDialog | null {
    if (!this.#core.hasDialogWith(remoteTag)) return null;
    const { state } = this.#session;
    const { orgId } = this.invite.identity;
    return {
      dialog: this,
      orgId,
      state: state === 'setup' ? 'calling' : state === 'established' ? 'confirmed' : 'over',
    };
  }

  dispose(): void {
    this.#ringing?.stop();
    this.#session.dispose();
  }

  admits(address: string): boolean {
    return this.invite.identity.sources?.has(address) ?? true;
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    this.#session.receiveRequest(request, key, flow);
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    this.#session.receiveResponse(response, flow);
  }

  #ended(transactions: readonly FinishedTransaction[]): void {
    const { sipCallId, localTag, invite } = this;
    const { orgId, sources } = invite.identity;
    const remoteTag = this.#core.hasDialogWith(invite.fromTag) ? invite.fromTag : null;
    const context = this.#context;
    const ended = new EndedDialog({ context, sipCallId, localTag, remoteTag, orgId, sources, transactions });
    context.onEnded(this, ended, Math.max(...transactions.map(({ lastsMs }) => lastsMs)));
  }

  #peerBye(request: SipRequest): void {
    // A caller may end an early dialog by BYE; its INVITE still gets a final answer (RFC 3261 §15).
    if (this.#session.state === 'setup') this.#cancelled();
    else this.#session.peerBye(request);
  }

  /** RFC 3262 §3: for 32 s no PRACK came, so the caller does not hear us. */
  #unacknowledged(): void {
    if (this.#session.state !== 'setup') return;
    this.#core.reject(504, undefined);
    this.#session.close('prack_timeout');
  }

  #cancelled(): void {
    if (this.#session.state !== 'setup') return;
    this.#ringing?.stop();
    this.#core.reject(487, undefined);
    this.#session.notify((delegate) => delegate.onCancel?.());
    this.#session.close('normal');
  }
}
