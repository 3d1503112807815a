/** What the SIP layer offers to `media/call`: dialogs in, dialogs out. Nothing here knows RTP, agents or workflows. */

export type SipTransport = 'udp' | 'tcp' | 'tls';

export interface SipPeer {
  readonly transport: SipTransport;
  readonly address: string;
  readonly port: number;
}

/** Who a request was authenticated as. */
export interface SipIdentity {
  readonly trunkId: string;
  readonly orgId: string;
  readonly username: string;
}

export interface DigestCredentials extends SipIdentity {
  readonly password: string;
}

/** An authenticated, well-formed INVITE outside a dialog; 100 has been sent. */
export interface InboundInvite {
  readonly sipCallId: string;
  readonly fromTag: string;
  readonly cseq: number;
  /** Percent-decoded user part of the Request-URI; empty when it has none. */
  readonly requestUser: string;
  readonly fromUser: string;
  /** Header values by lower-case full name, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** SDP offer, null when the offer is delayed to our 200 (RFC 3264 §5). */
  readonly offer: string | null;
  readonly peer: SipPeer;
  readonly identity: SipIdentity;
  /** Local address of the route to the peer, or the configured public host: for Contact and SDP. */
  readonly localAddress: string;
  /** Monotonic ms (performance.now) at which the INVITE (with credentials) was read from the socket. */
  readonly receivedAt: number;
}

export interface ReasonHeader {
  /** `SIP` or `Q.850` (RFC 3326). */
  readonly protocol: 'SIP' | 'Q.850';
  readonly cause: number;
  readonly text: string;
}

export interface LadderMessage {
  readonly direction: 'in' | 'out';
  readonly method: string;
  readonly status: number | null;
  readonly reason: string | null;
  readonly cseq: string;
  readonly transport: SipTransport;
}

/** Callbacks of a dialog, set once before anything can happen; none is called after `onClosed`. */
export interface DialogDelegate {
  /** Caller gave up before our final answer; 487 has been sent. */
  onCancel?(): void;
  /** ACK of our 2xx, with the answer when ours was the offer. */
  onAck?(sdpAnswer: string | null): void;
  /** Provisional answer to our INVITE (101–199), with early SDP when it had one. */
  onProgress?(status: number, sdp: string | null): void;
  /** 2xx to our INVITE; the ACK has been sent. */
  onAccept?(sdp: string | null): void;
  /** Final refusal of our INVITE, or why none came. */
  onReject?(outcome: DialOutcome): void;
  /** Peer's BYE; 200 has been sent. */
  onBye?(reason: ReasonHeader | null): void;
  /** re-INVITE or UPDATE with an offer (null: we owe one). Return the SDP for the 200, or the status to refuse with. */
  onReoffer?(sdp: string | null): { readonly sdp: string } | { readonly status: 488 | 491 };
  /** INFO application/dtmf-relay digit. */
  onDtmf?(digit: string): void;
  /** Every SIP message of the dialog, in and out. */
  onMessage?(message: LadderMessage): void;
  /** The dialog or the set-up is over and all its transactions may be forgotten. `cause` tells unusual ends. */
  onClosed?(cause: 'normal' | 'ack_timeout' | 'transport_error' | 'bye_timeout'): void;
}

export type DialOutcome =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason: string;
      readonly q850: number | null;
      readonly provisional: number | null;
      readonly retryAfterSeconds: number | null;
    }
  /** DNS failure, ICMP, connection refused. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Timer B; `provisional` is the highest received, null when nothing at all came. */
  | { readonly kind: 'timeout'; readonly provisional: number | null };

/** Why an INVITE never left: nothing was dialled. */
export class InviteNotSentError extends Error {
  readonly outcome: DialOutcome;

  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'InviteNotSentError';
    this.outcome = { kind: 'unreachable', detail };
  }
}

interface DialogBase {
  readonly sipCallId: string;
  delegate: DialogDelegate;
  /** BYE in a confirmed dialog; before our ACK arrives it is queued (RFC 3261 §15). Idempotent. */
  bye(reason?: ReasonHeader): void;
  /** Drops all state without a word on the wire (tests, kill). */
  dispose(): void;
}

export interface InboundDialog extends DialogBase {
  readonly invite: InboundInvite;
  ring(): void;
  answer(sdp: string): void;
  reject(
    status: number,
    options?: { readonly reason?: string; readonly retryAfterSeconds?: number; readonly warning?: string },
  ): void;
}

export interface OutboundInvite {
  readonly sipCallId: string;
  /** Called number as the trunk wants it, and host and port of the carrier; port 0: by SRV, else 5060. */
  readonly target: {
    readonly user: string;
    readonly host: string;
    readonly port: number;
    readonly transport: 'udp' | 'tcp';
  };
  readonly fromUser: string;
  readonly fromDisplayName?: string;
  readonly credentials: { readonly username: string; readonly password: string };
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Timer B: how long nothing at all may be heard. Default 32 s (RFC 3261 §17.1.1.2). */
  readonly timerBMs?: number;
  /** Builds the offer, last before the INVITE leaves. What it throws, `invite` rejects with: then nothing was sent. */
  readonly offer: (localAddress: string) => string;
}

export interface OutboundDialog extends DialogBase {
  /** Where the INVITE went: RTP may be learned from there. */
  readonly peer?: SipPeer;
  /** CANCEL before the final answer (after the first provisional, RFC 3261 §9.1); a 2xx that crosses it is ACKed and BYEd. */
  cancel(reason?: ReasonHeader): void;
}

export interface SipListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface SipEndpointDelegate {
  /** A new call. The delegate must end it with `answer` or `reject`. */
  onInvite(dialog: InboundDialog): void;
  /** Digest credentials by user name, from memory. */
  credentials(username: string): DigestCredentials | undefined;
  /** 200 or 503 + Retry-After for OPTIONS and for INVITE before a transaction exists. */
  availability(): { readonly available: boolean; readonly retryAfterSeconds: number };
}

export interface SipEndpoint {
  start(): Promise<void>;
  /** Refuse new INVITEs with 503 + Retry-After; dialogs go on. */
  drain(): void;
  /**
   * Resolves target, opens the dialog, hands the INVITE to the socket; rejects with InviteNotSentError when it cannot
   * (nothing was sent then).
   */
  invite(options: OutboundInvite, delegate: DialogDelegate): Promise<OutboundDialog>;
  close(): Promise<void>;
  /** Calls with any SIP state left, those included whose transactions only wait for their last timers (32 s). */
  readonly dialogCount: number;
}
