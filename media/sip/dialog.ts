/** What the SIP layer offers to `media/call`: dialogs in, dialogs out. Nothing here knows RTP, agents or workflows. */
import type { SipLadderEntry } from '../../contract/events';
import type { FinalAnswer, InboundInvite, InviteOutcome, SipHost } from './invite';
import type { SipPeer } from './peer';
import type { ReasonHeader } from './reason';
import type { IncomingRefer } from './refer/received-refer';
import type { ReplacesHeader } from './refer/replaces';
import type { ReferOutcome, ReferRequest } from './refer/sent-refer';

export type DialogCloseCause = 'normal' | 'ack_timeout' | 'prack_timeout' | 'transport_error' | 'bye_timeout';

/** Why a session timer ended the call: the peer's refresh did not come, or ours failed. */
export type RefreshFailure = 'refresh_missing' | 'refresh_failed' | 'refresh_timeout' | 'refresh_refused';

export type PeerLife = 'alive' | 'gone';

/**
 * What became of an offer of ours in the dialog. `status`: of the peer's final answer (of a 2xx, when that had no SDP);
 * null when none came, or the dialog ended before.
 */
export type ReofferOutcome =
  { readonly ok: true; readonly sdp: string } | { readonly ok: false; readonly status: number | null };

/** Callbacks of a dialog, set once before anything can happen; none is called after `onClosed`. */
export interface DialogDelegate {
  /** Caller gave up before our final answer; 487 has been sent. */
  onCancel?(): void;
  /** ACK of our 2xx, with the answer when ours was the offer. */
  onAck?(sdpAnswer: string | null): void;
  /** Provisional answer to our INVITE (101–199). */
  onProgress?(status: number): void;
  /** 2xx to our INVITE, with the SDP of it or of its early dialog; the ACK has been sent. */
  onAccept?(sdp: string | null, answer: FinalAnswer): void;
  /** An address of the target, or its name, was of no use: the next one is tried, or the INVITE fails. */
  onUnreachable?(target: string, reason: string): void;
  /** A host that our INVITE went to has answered it: finally, a challenge aside, or by a ringing tone or the like. */
  onHostAnswer?(host: SipHost, answer: Pick<FinalAnswer, 'status' | 'retryAfterSeconds'>): void;
  /** Final refusal of our INVITE, or why none came. A 2xx that crossed our CANCEL is hung up and told of here too. */
  onReject?(outcome: InviteOutcome): void;
  /** Peer's BYE; 200 has been sent. */
  onBye?(reason: ReasonHeader | null): void;
  /** re-INVITE or UPDATE with an offer (null: we owe one). Return the SDP for the 200, or the status to refuse with. */
  onReoffer?(sdp: string | null): { readonly sdp: string } | { readonly status: 488 | 491 };
  /** PRACK of our 180, with the answer when that had the offer. */
  onPrack?(sdpAnswer: string | null): void;
  /** Our SDP as it is in force, for a re-INVITE that only refreshes the session; null before it stands. */
  onRefreshOffer?(): string | null;
  /** The answer to that. */
  onRefreshAnswer?(sdp: string): void;
  /** The session was not refreshed in time (RFC 4028 §10): hang up. Without this the dialog does. */
  onExpired?(why: RefreshFailure): void;
  /** The peer refers us to somebody else, in a call that stands. Without this it gets 603, and Allow is without REFER. */
  onRefer?(refer: IncomingRefer): void;
  /**
   * An INVITE of the same organisation that is to take this dialog's place (RFC 3891 §3), and is to be ended as any other:
   * answered, it does, and this one is over; refused, it has changed nothing. Without this it gets 603.
   */
  onReplace?(by: InboundDialog): void;
  /** INFO application/dtmf-relay digit. */
  onDtmf?(digit: string): void;
  /** Every SIP message of the dialog, in and out. */
  onMessage?(message: SipLadderEntry): void;
  /** The dialog or the set-up is over and all its transactions may be forgotten. `cause` tells unusual ends. */
  onClosed?(cause: DialogCloseCause): void;
}

/** What both directions have in common. */
interface AnyDialog {
  readonly sipCallId: string;
  delegate: DialogDelegate;
  /** BYE in a confirmed dialog; before our ACK arrives it is queued (RFC 3261 §15). Idempotent. */
  bye(reason?: ReasonHeader): void;
  /**
   * Asks the peer whether it is there, by a request in the dialog; `gone` when it does not answer (32 s) or knows of no
   * such dialog. Before the call stands it is taken to be alive.
   */
  probe(): Promise<PeerLife>;
  /**
   * Offers the session anew by a re-INVITE (RFC 3261 §14.1), once none of either side is open. After a glare (491) it is
   * tried again, and until then the peer may offer, by `onReoffer`; a function is asked at each try what holds by then.
   * What fails leaves the session as it was, unless the peer is gone: then it ends by `onExpired`. Never rejects.
   */
  reoffer(sdp: string | (() => string)): Promise<ReofferOutcome>;
  /**
   * Sends this in an INFO, after the answer to the one before (RFC 6086 §2: digits, of whoever takes them that way);
   * false when the peer does not take it, or is not there. Never rejects.
   */
  info(contentType: string, body: string): Promise<boolean>;
  /**
   * Asks the peer to call somebody else (RFC 3515), and tells what became of that, within a minute where nobody challenges.
   * @param onProgress provisional status of the new call
   * @throws RangeError when the request has no URI that can be called
   */
  refer(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome>;
  /** Request-URI of our requests in the dialog: where the peer is. */
  readonly remoteTarget: string;
  /** Who we are in it. */
  readonly localUri: string;
  /**
   * How the peer knows it: what an INVITE says there that is to take our place in it (RFC 3891 §3). Null before the call
   * stands, and of a peer of RFC 2543, which has no tag.
   */
  readonly replacesAtPeer: ReplacesHeader | null;
  /** By the latest Allow of the peer in this dialog. */
  peerAllows(method: string): boolean;
  /** By its latest Supported; the option tag in lower case. */
  peerSupports(option: string): boolean;
  /** Drops all state without a word on the wire (tests, kill). */
  dispose(): void;
}

export interface InboundDialog extends AnyDialog {
  readonly invite: InboundInvite;
  /** 180. A caller that demands reliable answers and made no offer gets ours in it: then `offer` is asked (RFC 3262 §5). */
  ring(offer: () => string): void;
  /** @param sdp null when the 180 had our offer and `onPrack` its answer */
  answer(sdp: string | null): void;
  reject(
    status: number,
    options?: { readonly reason?: string; readonly retryAfterSeconds?: number; readonly warning?: string },
  ): void;
}

export interface OutboundDialog extends AnyDialog {
  /** Where the INVITE went: RTP may be learned from there. */
  readonly peer?: SipPeer;
  /** CANCEL before the final answer (after the first provisional, RFC 3261 §9.1); a 2xx that crosses it is ACKed and BYEd. */
  cancel(reason?: ReasonHeader): void;
}
