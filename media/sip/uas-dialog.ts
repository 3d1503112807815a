import { DialogLifecycle } from './dialog-lifecycle';
import { sdpOf } from './message/body';
import { encodeWireText } from './message/message';

import type { DialogDelegate, InboundDialog } from './dialog';
import type { DialogContext } from './dialog-context';
import type { RoutedDialog } from './dialog-table';
import type { Flow } from './edge/flow';
import type { InboundInvite } from './invite';
import type { SipRequest, SipResponse } from './message/message';
import type { OwnAddress } from './own-address';
import type { ReasonHeader } from './reason';
import type { SipCore } from './sip-core';

interface UasDialogOptions {
  readonly context: DialogContext;
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
  readonly #session: DialogLifecycle;
  readonly #core: SipCore;

  constructor({ context, invite, localTag, flow, ownAddress }: UasDialogOptions) {
    this.sipCallId = invite.sipCallId;
    this.localTag = localTag;
    this.invite = invite;
    this.#session = new DialogLifecycle({
      context,
      sipCallId: invite.sipCallId,
      localTag,
      onIdle: () => context.onIdle(this),
    });
    this.#core = this.#session.open({
      contact: ownAddress.contact(CONTACT_USER, flow.transport),
      sentBy: ownAddress.sentBy,
      displayName: '',
      inviteFlow: () => flow,
      events: {
        onInvite: () => this.#core.trying(),
        onCancel: () => this.#cancelled(),
        onAck: (request) => this.#session.acknowledged(sdpOf(request)),
        onBye: (request) => this.#peerBye(request),
      },
    });
  }

  get delegate(): DialogDelegate {
    return this.#session.delegate;
  }

  set delegate(delegate: DialogDelegate) {
    this.#session.delegate = delegate;
  }

  ring(): void {
    if (this.#session.state === 'setup') this.#core.ring();
  }

  answer(sdp: string): void {
    if (this.#session.state !== 'setup') return;
    this.#session.transition('established');
    this.#core.accept(sdp);
  }

  reject(
    status: number,
    options: { readonly reason?: string; readonly retryAfterSeconds?: number; readonly warning?: string } = {},
  ): void {
    if (this.#session.state !== 'setup') return;
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

  dispose(): void {
    this.#session.dispose();
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    this.#session.receiveRequest(request, key, flow);
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    this.#session.receiveResponse(response, flow);
  }

  #peerBye(request: SipRequest): void {
    // A caller may end an early dialog by BYE; its INVITE still gets a final answer (RFC 3261 §15).
    if (this.#session.state === 'setup') this.#cancelled();
    else this.#session.peerBye(request);
  }

  #cancelled(): void {
    if (this.#session.state !== 'setup') return;
    this.#core.reject(487, undefined);
    this.#session.notify((delegate) => delegate.onCancel?.());
    this.#session.close('normal');
  }
}
