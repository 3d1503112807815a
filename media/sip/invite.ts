import type { SipBinding } from '../../contract/registration';
import type { SipIdentity } from './auth/identity';
import type { CallerIdentity } from './caller-identity';
import type { SipPeer } from './peer';
import type { ReplacedDialog } from './replaced-dialog';

/** An authenticated, well-formed INVITE outside a dialog; 100 has been sent. */
export interface InboundInvite {
  readonly sipCallId: string;
  readonly fromTag: string;
  readonly cseq: number;
  /** Percent-decoded user part of the Request-URI; empty when it has none. */
  readonly requestUser: string;
  readonly caller: CallerIdentity;
  /** Header values by lower-case full name, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** SDP offer, null when the offer is delayed to our 200 (RFC 3264 §5). */
  readonly offer: string | null;
  readonly peer: SipPeer;
  readonly identity: SipIdentity;
  /** Local address of the route to the peer, or the configured public host: for Contact and SDP. */
  readonly localAddress: string;
  /** The dialog of the same organisation that this one is to take the place of (RFC 3891 §3); default none. */
  readonly replaces?: ReplacedDialog | null;
  /** Monotonic ms (performance.now) at which the INVITE (with credentials) was read from the socket. */
  readonly receivedAt: number;
}

/** Where a carrier is: what is null its name servers say (RFC 3263). */
export interface SipHost {
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | null;
}

export interface OutboundInvite {
  readonly sipCallId: string;
  /** Whose call it is: an INVITE of theirs may take its place (RFC 3891). Default: nobody's. */
  readonly orgId?: string;
  /** Called number as the trunk wants it, and where the carrier is. */
  readonly target: SipHost & { readonly user: string };
  /** Dialled in the place of the target's host, in this order, each when the one before is of no use. Default none. */
  readonly gateways?: readonly SipHost[];
  /** Where the INVITE goes whatever host the target has: its first hop. Default: there. */
  readonly nextHop?: SipHost;
  /** Who is called in place of the target, whose address-of-record this is: best first, as `gateways` are. */
  readonly contacts?: readonly SipBinding[];
  readonly fromUser: string;
  /** Host of From. Default, and null: the target's. */
  readonly fromHost?: string | null;
  /** The target's transport for long requests too (against RFC 3261 §18.1.1). Default false. */
  readonly transportStrict?: boolean;
  readonly fromDisplayName?: string;
  /** Null: whoever challenges is not answered. */
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Timer B: how long nothing at all may be heard. Default 32 s (RFC 3261 §17.1.1.2), 5 s while another host is left. */
  readonly timerBMs?: number;
  /** Asked before each INVITE to another address or host than the first; false: none leaves any more. Default: they may. */
  readonly beforeFailover?: () => Promise<boolean>;
  /** Builds the offer, last before the INVITE leaves. What it throws, `invite` rejects with: then nothing was sent. */
  readonly offer: (localAddress: string) => string;
}

/** The final answer to an INVITE of ours, in the carrier's own words. */
export interface FinalAnswer {
  readonly kind: 'status';
  readonly status: number;
  readonly reason: string;
  readonly q850: number | null;
  readonly provisional: number | null;
  readonly retryAfterSeconds: number | null;
}

/** How an INVITE of ours ended without a dialog. */
export type InviteOutcome =
  | FinalAnswer
  /** DNS failure, ICMP, connection refused. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Timer B; `provisional` is the highest received, null when nothing at all came. */
  | { readonly kind: 'timeout'; readonly provisional: number | null };

/** Nobody is registered: what a proxy would answer (RFC 3261 §21.4.18). */
export const NOT_REGISTERED_STATUS = 480;

/** Why an INVITE never left: nothing was dialled. */
export class InviteNotSentError extends Error {
  readonly outcome: InviteOutcome;

  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'InviteNotSentError';
    this.outcome = { kind: 'unreachable', detail };
  }
}

/** There is nobody to be called at our own address-of-record. */
export class NotRegisteredError extends InviteNotSentError {
  constructor() {
    super('not_registered: nobody is registered with the credentials of the inbound trunk');
    this.name = 'NotRegisteredError';
  }
}
