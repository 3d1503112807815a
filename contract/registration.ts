/** What a phone system has told of itself by REGISTER (RFC 3261 §10): where it is reached, and until when. */

/** Where the REGISTER came from: the one address that is known to be the phone system's, or its proxy's. */
export interface BindingSource {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly address: string;
  readonly port: number;
}

/** One contact of a trunk's address-of-record, `sip:<auth_username>@<our SIP host>`. */
export interface SipBinding {
  readonly id: string;
  /** As it was written: it becomes the Request-URI. */
  readonly contact: string;
  /** `+sip.instance` and `reg-id` of a client that keeps its flow open (RFC 5626 §4.1); else null. */
  readonly instanceId: string | null;
  readonly regId: number | null;
  /** 0 to 1; the highest is called first. */
  readonly q: number;
  /** Values of Path (RFC 3327), which become Route. */
  readonly path: readonly string[];
  readonly sipCallId: string;
  readonly cseq: number;
  readonly userAgent: string | null;
  readonly source: BindingSource;
  /** What it writes of its address is not where it is reached: only its flow is. */
  readonly behindNat: boolean;
  /** The node that holds the flow. */
  readonly nodeId: string;
  /** Epoch ms, as the next two. */
  readonly registeredAtMs: number;
  readonly refreshedAtMs: number;
  readonly expiresAtMs: number;
}

export interface RegisteredTrunk {
  readonly trunkId: string;
  readonly orgId: string;
}

/** Where the bindings of all trunks are kept, for all nodes. */
export interface BindingStore {
  /** Of the node itself. */
  readonly nodeId: string;
  /**
   * Keeps what `change` makes of a trunk's bindings, null: they stay as they are. Nobody else changes them meanwhile.
   * False when there is no such trunk any more. Rejects when PostgreSQL does not answer in time: it may have been kept.
   */
  update(
    trunk: RegisteredTrunk,
    change: (held: readonly SipBinding[]) => readonly SipBinding[] | null,
  ): Promise<boolean>;
}

/**
 * Whom a dial reaches that goes to a trunk's own registrations: `contacts`, best first, all of which this node can try;
 * or nobody of them, as the flow belongs to `nodeId`, which must dial; or it cannot be told now.
 */
export type RegisteredContacts =
  | { readonly kind: 'contacts'; readonly contacts: readonly SipBinding[] }
  | { readonly kind: 'elsewhere'; readonly nodeId: string }
  | { readonly kind: 'unknown' };
