/** How a caller is handed over to somebody else, and what became of it, in the words of all processes. */
import type { Disposition } from './endings';

export const TRANSFER_MODES = ['auto', 'refer', 'bridge', 'warm'] as const;
/** `auto`: by REFER where the peer takes it, else by a bridge. `warm`: a bridge that whoever answers is asked for first. */
export type TransferMode = (typeof TRANSFER_MODES)[number];

/**
 * Who asked for it. `agent`: by the name of a destination, as its caller wished. `handoff`: the agent too, to a person.
 * `keypad`: the caller, by the key of a destination. `failover`: the agent, which can hear, think or speak no more.
 */
export const TRANSFER_ORIGINS = ['api', 'agent', 'handoff', 'keypad', 'failover'] as const;
export type TransferOrigin = (typeof TRANSFER_ORIGINS)[number];

/** Where an agent may send its caller: never more of it than a conversation needs. */
export interface OfferedDestination {
  readonly id: string;
  /** As its organisation calls it. */
  readonly name: string;
  /** "0" to "9": whoever presses it gets there. */
  readonly keypad: string | null;
}

/** What is asked for in the call itself. */
export interface TransferWish {
  readonly by: Exclude<TransferOrigin, 'api'>;
  /** One of the agent's; null: whom its settings name for this. */
  readonly destinationId: string | null;
}

/** How it was done, or tried last. */
export type TransferWay = 'refer' | 'bridge' | 'warm';

/**
 * `transferred`: the two are talking. `transferred_assumed`: the peer accepted our REFER and hung up. `unknown`: it accepted
 * and told no end of it, so somebody may be ringing. `no_trunk`: no outbound trunk leads there. `call_ended`: whoever was
 * to be transferred has gone. `withdrawn`: somebody stopped it. `declined`: whoever was asked does not want the caller,
 * or has not said so. Else how the dial went.
 */
export type TransferOutcome =
  | 'transferred'
  | 'transferred_assumed'
  | 'unknown'
  | 'no_trunk'
  | 'call_ended'
  | 'withdrawn'
  | 'declined'
  | Exclude<Disposition, 'answered' | 'voicemail' | 'expired' | 'uncertain' | 'canceled'>;

/** `consult`: somebody is called, told who is there, and asked; `dial` of it where nobody answers. */
export type TransferStep = 'announce' | 'refer' | 'dial' | 'consult';

export interface TransferResult {
  readonly mode: TransferWay;
  readonly outcome: TransferOutcome;
  /** The last final status that the destination, or the way to it, gave; null without one. */
  readonly sipStatus: number | null;
  readonly durationMs: number;
  /** Null where none has. */
  readonly failedStep: TransferStep | null;
}

/** Has the caller left the agent? */
export function hasTransferred({ outcome }: Pick<TransferResult, 'outcome'>): boolean {
  return outcome === 'transferred' || outcome === 'transferred_assumed';
}

/** Whom a further leg calls: E.164, or a SIP URI without header part. */
export type LegTarget =
  { readonly type: 'phone'; readonly number: string } | { readonly type: 'sip'; readonly uri: string };

/** Of whom the call is, for the phone system at the other end: each where it is known. */
export interface LegIdentity {
  readonly sessionId: string | null;
  readonly agentId: string | null;
  readonly contactId: string | null;
}

/** A further leg of a call. */
export interface LegDial extends LegIdentity {
  /** Its SIP Call-ID too. */
  readonly legId: string;
  readonly target: LegTarget;
  /** What the agent calls it; null where nobody has named it. */
  readonly name: string | null;
  /** Its caller number is shown, and a number is dialled through it. Null: there is none. */
  readonly trunkId: string | null;
  readonly ringTimeoutSeconds: number;
  /** Of a consult: what is said to whoever answers. Default, and null: for whom the call is, and of whom. */
  readonly briefing?: string | null;
  /** Of a SIP destination: for its own challenges. */
  readonly credentials?: { readonly username: string; readonly password: string } | null;
}

/** The same as it is planned, where nobody opens a password: a media node does that. */
export interface PlannedLeg extends Omit<LegDial, 'credentials'> {
  readonly sealedCredentials?: SealedCredentials | null;
}

/** Sealed with the row that it stands in. */
export interface SealedCredentials {
  readonly destinationId: string;
  readonly username: string;
  readonly passwordSealed: string | null;
}
