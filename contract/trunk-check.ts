/** What a check of a trunk is asked and what it finds; the words of a step are for the trunk's owner. */
import type { Disposition, EndedBy, EndReason } from './endings';
import type { TrunkRegistration } from './trunk-health';

/** One step of a check, in plain words. */
export interface CheckStep {
  readonly step: string;
  /** Null: it could not be carried out, or it did not tell; `detail` says why. */
  readonly ok: boolean | null;
  /** Null for a step that was not carried out. */
  readonly durationMs: number | null;
  readonly detail: string;
  readonly cause: string | null;
  readonly remedy: string | null;
}

/** False when a step has failed; null when none has, and the peer was never heard. */
export type CheckVerdict = boolean | null;

/** Our registration with a carrier, as it was stored when the check was asked for. */
export interface KeptRegistration {
  /** The node that keeps it; null: none does now. */
  readonly nodeId: string | null;
  /** Null: it has not begun. */
  readonly registration: TrunkRegistration | null;
}

export interface OutboundTrunkCheck {
  readonly orgId: string;
  readonly trunkId: string;
  /** Null where nobody has told. */
  readonly keptRegistration: KeptRegistration | null;
  /** Called once, E.164; null: nobody is called. */
  readonly testNumber: string | null;
  /** SIP Call-ID of that call. */
  readonly sipCallId: string;
}

/** For the record of a test call. */
export interface CheckedCall {
  readonly from: string;
  readonly to: string;
  readonly sipCallId: string;
  /** Epoch ms, as the next ones. */
  readonly startedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number;
  readonly disposition: Disposition;
  readonly endReason: EndReason | null;
  readonly endedBy: EndedBy;
  readonly finalStatus: number | null;
  readonly reason: string | null;
  readonly q850: number | null;
}

export interface OutboundTrunkReport {
  readonly ok: CheckVerdict;
  readonly steps: readonly CheckStep[];
  /** Null where no INVITE was to be sent. */
  readonly call: CheckedCall | null;
}

/** How an INVITE of an inbound trunk fared on one node. */
export interface InboundAttempt {
  /** Epoch ms. */
  readonly atMs: number;
  /** Address that it came from. */
  readonly source: string;
  readonly status: number;
  /** Why it was refused, such as `wrong_password`; `answered` when it was not. */
  readonly why: string;
}

export interface InboundTrunkCheck {
  readonly trunkId: string;
  /** Of the trunk: what the node would be asked for. */
  readonly username: string;
  /** `host` or `host:port`, as phone systems are told. */
  readonly sipEndpoint: string;
}

/** One media node's word about an inbound trunk. */
export interface InboundTrunkFindings {
  /** It would let in who has the trunk's credentials. */
  readonly knowsTrunk: boolean;
  /** Null: calls are taken. */
  readonly unavailable: string | null;
  readonly endpoint: {
    readonly addresses: readonly string[];
    /** Of the answer to our OPTIONS; null when none came. */
    readonly status: number | null;
    /** The answer is one of this product. */
    readonly ours: boolean;
    readonly error: string | null;
    readonly durationMs: number;
  };
  /** The latest first. */
  readonly attempts: readonly InboundAttempt[];
  readonly mediaPort: { readonly port: number | null; readonly error: string | null; readonly durationMs: number };
}
