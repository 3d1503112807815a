import { SipCall } from './call';
import { sdpOf } from './message/body';
import { encodeWireText } from './message/message';
import { SipCore } from './sip-core';

import type { CallContext } from './call';
import type { Flow } from './edge/flow';
import type { SipRequest } from './message/message';
import type { InboundDialog, InboundInvite, SipPeer } from './types';

export interface InboundCallOptions {
  readonly context: CallContext;
  readonly invite: InboundInvite;
  readonly localTag: string;
  readonly flow: Flow;
  readonly contact: string;
  readonly viaHost: string;
}

/** A call that came in, from its authenticated INVITE on. */
export class InboundCall extends SipCall implements InboundDialog {
  readonly invite: InboundInvite;
  protected readonly core: SipCore;

  constructor(options: InboundCallOptions) {
    super(options.context, options.invite.sipCallId, options.localTag);
    this.invite = options.invite;
    const { context, flow } = options;
    this.core = new SipCore({
      clock: context.clock,
      localTag: options.localTag,
      contact: options.contact,
      viaHost: options.viaHost,
      product: context.product,
      displayName: '',
      requests: this.requestTransport(() => flow),
      events: {
        ...this.dialogEvents(),
        onInvite: () => this.core.trying(),
        onCancel: () => this.#cancelled(),
        onAck: (request) => this.acknowledged(sdpOf(request)),
      },
      onRetransmit: (method) => context.counters.retransmitted(method),
      onIdle: () => this.forgetWhenIdle(),
    });
  }

  get peer(): SipPeer {
    return this.invite.peer;
  }

  ring(): void {
    if (this.state === 'setup') this.core.ring();
  }

  answer(sdp: string): void {
    if (this.state !== 'setup') return;
    this.transition('established');
    this.core.accept(sdp);
  }

  reject(
    status: number,
    options: { readonly reason?: string; readonly retryAfterSeconds?: number; readonly warning?: string } = {},
  ): void {
    if (this.state !== 'setup') return;
    const headers: string[] = [];
    if (options.retryAfterSeconds !== undefined) headers.push(`Retry-After: ${Math.ceil(options.retryAfterSeconds)}`);
    if (options.warning !== undefined) headers.push(`Warning: ${encodeWireText(options.warning)}`);
    this.core.reject(status, options.reason === undefined ? undefined : encodeWireText(options.reason), headers);
    this.close('normal');
  }

  protected abandonSetup(): void {
    this.reject(480);
  }

  protected override peerBye(request: SipRequest): void {
    // A caller may end an early dialog by BYE; its INVITE still gets a final answer (RFC 3261 §15).
    if (this.state === 'setup') this.#cancelled();
    else super.peerBye(request);
  }

  #cancelled(): void {
    if (this.state !== 'setup') return;
    this.core.reject(487, undefined);
    this.notify((delegate) => delegate.onCancel?.());
    this.close('normal');
  }
}
