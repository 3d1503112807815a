import type { SipRequest, SipResponse } from './message/message';

/** What happens on the call. Requests that need an answer are answered by what the callback returns. */
export interface CoreEvents {
  onInvite?(): void;
  onCancel?(): void;
  onAck?(request: SipRequest): void;
  onAckTimeout?(): void;
  onBye?(request: SipRequest): void;
  onInfo?(request: SipRequest): CoreAnswer;
  /** re-INVITE or UPDATE. */
  onRefresh?(request: SipRequest): CoreAnswer;
  /** REFER or NOTIFY, to be answered once, now or later; without this they get 603 and 481. */
  onSubscription?(request: SipRequest, answer: (answer: CoreAnswer) => void): void;
  /** Whether a PRACK is for a provisional answer of ours; without this none is. */
  acknowledges?(prack: SipRequest): boolean;
  /** One that is; 200 has been sent. */
  onPrack?(prack: SipRequest): void;
  /** Provisional other than 100. */
  onProgress?(response: SipResponse): void;
  onAccept?(response: SipResponse): void;
  onReject?(response: SipResponse): void;
  onTimeout?(): void;
  onTransportError?(error: Error): void;
}

export interface CoreAnswer {
  readonly status: number;
  readonly reason?: string;
  readonly sdp?: string;
  readonly headers?: readonly string[];
}
