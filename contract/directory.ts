/** What a media node is given to know: who may call in, who answers, over which trunk a call goes out. */

import type { AudioCodec } from './audio-codecs';
import type { RegisteredContacts } from './registration';
import type { OfferedDestination } from './transfers';

/** By this header of an INVITE a phone system names the agent that shall answer. */
export const AGENT_ID_HEADER = 'X-OPENCX-AGENT-ID';
/** And so it learns of whom a call is that we hand over to it. */
export const SESSION_ID_HEADER = 'X-OPENCX-SESSION-ID';
export const CONTACT_ID_HEADER = 'X-OPENCX-CONTACT-ID';

/** How long a peer may send nothing while the agent is silent too, where its trunk does not say. */
export const DEFAULT_MEDIA_TIMEOUT_SECONDS = 30;

/** How a trunk writes the numbers in its INVITEs; `national`: as they are dialled in the country of its caller number. */
export const NUMBER_FORMATS = ['e164', 'e164_no_plus', 'national', 'prefix'] as const;
export type NumberFormat = (typeof NUMBER_FORMATS)[number];

/** Some addresses of the network. Asked in the spelling of sockets. */
export interface AddressSet {
  has(address: string): boolean;
}

/** How many calls a trunk carries; without a limit, null. A node counts its own calls. */
export interface CallLimits {
  readonly maxConcurrentCalls?: number | null;
  readonly maxCallsPerSecond?: number | null;
}

export interface AgentProfile {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly type: 'inbound' | 'outbound';
  readonly language: readonly string[];
  readonly firstMessage: string;
  readonly instructions: readonly string[];
  readonly voiceId: string | null;
  readonly ttsSpeedPct: number;
  readonly interruptible: boolean;
  readonly useOrgKnowledgebase: boolean;
  readonly sttKeyterms: readonly string[];
  readonly maxCallDurationSeconds: number;
  readonly silenceTimeoutSeconds: number;
  /** In the order of assignment. Default none. */
  readonly destinations?: readonly OfferedDestination[];
  /** It has a person to hand over to. Default false. */
  readonly handsOff?: boolean;
  /** It has somebody to send its caller to when it can hear, think or speak no more. Default false. */
  readonly failsOver?: boolean;
}

export const DTMF_MODES = ['auto', 'rfc4733', 'info'] as const;
/**
 * How we press keys: by telephone-event (RFC 4733), by INFO, or (`auto`) by telephone-event where it was agreed on and else by INFO. Keys
 * of the peer are understood either way.
 */
export type DtmfMode = (typeof DTMF_MODES)[number];

export interface InboundTrunkProfile extends CallLimits {
  readonly id: string;
  readonly orgId: string;
  readonly username: string;
  readonly password: string;
  /** The one before the last rotation lets calls in too, until then. */
  readonly previousPassword?: { readonly password: string; readonly validUntilMs: number } | null;
  readonly phoneNumbers: readonly string[];
  readonly mediaTimeoutSeconds: number;
  /** By password (default), or by the address that its requests come from. */
  readonly auth?: 'digest' | 'ip';
  /** Where requests of its calls may come from; default, and null: from anywhere. */
  readonly sources?: AddressSet | null;
  /** Whose audio is taken: that of the host in SDP or of signalling (default), or of any. */
  readonly mediaSource?: 'same_host' | 'any';
  /** Those that are taken, best first; default, and null: all, an offer's first first. */
  readonly codecs?: readonly AudioCodec[] | null;
  /** Default auto. */
  readonly dtmfMode?: DtmfMode;
}

/** A host of a carrier; null: what the name servers say of it (RFC 3263). */
export interface Gateway {
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | null;
  /** As of SRV records (RFC 2782): the lowest first; of one priority in proportion to their weights. */
  readonly priority: number;
  readonly weight: number;
}

export interface OutboundTrunkProfile extends CallLimits {
  readonly id: string;
  readonly orgId: string;
  readonly host: string;
  /** Null, as the transport: what the name servers say of the host (RFC 3263). */
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | null;
  readonly username: string;
  readonly password: string;
  readonly callerNumber: string;
  readonly mediaTimeoutSeconds: number;
  /** We register with it. */
  readonly register: boolean;
  /** It is asked by OPTIONS whether it is there. */
  readonly optionsPing: boolean;
  /** Dialled in the place of `host`. Default none. */
  readonly gateways?: readonly Gateway[];
  /** Those that are offered, in this order; default, and null: all. */
  readonly codecs?: readonly AudioCodec[] | null;
  /** Default auto. */
  readonly dtmfMode?: DtmfMode;
  /** Default e164. */
  readonly numberFormat?: NumberFormat;
  /** In front of the digits of the called number with the format `prefix`. */
  readonly numberPrefix?: string;
  /** Host of From; default, and null: `host`. */
  readonly fromHost?: string | null;
  /** Further headers of each INVITE. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A call that is handed over by it tells who calls, unless they do not want that. Default false. */
  readonly passCallerId?: boolean;
  /** A long INVITE goes over `transport` too. Default false: by TCP where the peer takes it. */
  readonly transportStrict?: boolean;
}

/** In the order in which they are looked at. */
export const ROUTING_RULES = ['header', 'number_assignment', 'trunk_number', 'fallback'] as const;
export type RoutingRule = (typeof ROUTING_RULES)[number];

/** A rule that was looked at. The reason is for people: it names agents and never a number. */
export interface RoutingStep {
  /** `request_uri`: there was nothing to look for. */
  readonly rule: RoutingRule | 'request_uri';
  readonly matched: boolean;
  readonly reason: string;
}

/** Who answers a call and why, as its record keeps it. */
export interface Routing {
  readonly steps: readonly RoutingStep[];
  readonly agentId: string | null;
}

export interface InboundRequest {
  readonly trunkId: string;
  readonly orgId: string;
  readonly sipCallId: string;
  readonly fromTag: string;
  readonly cseq: number;
  /** Request-URI user part, as received, percent-decoded. */
  readonly dialedUser: string;
  /** User part of From or of the asserted identity, as received; empty when there is none. */
  readonly callerUser: string;
  /** Values of the Privacy header (RFC 3323 §4.2); empty when the caller asked for none. */
  readonly privacy: readonly string[];
  /** Value of `AGENT_ID_HEADER`, untrusted. */
  readonly agentIdHeader: string | null;
}

export type RoutingDecision =
  | {
      readonly ok: true;
      readonly agent: AgentProfile;
      readonly rule: RoutingRule;
      /** Up to the one that matched, which is `rule`. */
      readonly steps: readonly RoutingStep[];
      /** A number of ours as we spell it, else E.164 where it could be read as such, else as received. */
      readonly dialedNumber: string;
      readonly callerNumber: string;
      /** The trunk's. */
      readonly mediaTimeoutSeconds: number;
    }
  | { readonly ok: false; readonly status: 404 | 480; readonly steps: readonly RoutingStep[] };

export type StartInboundResult =
  | { readonly ok: true; readonly callId: string; readonly sessionId: string }
  /**
   * All are answered with 503 + Retry-After. `unavailable`: the workflow was not started in time, the peer may try
   * another node. `busy`: there were too many starts before it, and nothing was started. `duplicate`: the call belongs to
   * another node or boot.
   */
  | { readonly ok: false; readonly reason: 'unavailable' | 'busy' | 'duplicate' };

export interface Availability {
  readonly available: boolean;
  /** Seconds for Retry-After when not available. */
  readonly retryAfterSeconds: number;
  readonly reason: string | null;
}

/**
 * What there is too much of: calls that are being set up, starts of their workflows, state events that no workflow has
 * acknowledged, ended calls whose record is not complete.
 */
export const OVERLOAD_REASONS = ['set_ups', 'starts', 'state_events', 'records'] as const;
export type OverloadReason = (typeof OVERLOAD_REASONS)[number];

export interface Overload {
  readonly reason: OverloadReason;
  /** Of the calls that come in, how much is to be refused: above 0, at most 1. */
  readonly share: number;
}

/** Why a peer may not send a call of ours to somebody of its own. */
export type ReferRefusal = 'not_a_target' | 'emergency_number' | 'destination_not_allowed';

/**
 * Answers from memory except `startInbound`, which waits for the workflow's start (≤ 2 s) and nothing else, and
 * `registeredContacts`, which asks PostgreSQL.
 */
export interface CallDirectory {
  inboundTrunk(username: string): InboundTrunkProfile | undefined;
  /** The trunk whose calls come from this address without credentials. */
  inboundTrunkAt(address: string): InboundTrunkProfile | undefined;
  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined;
  agent(agentId: string): AgentProfile | undefined;
  /**
   * Null: the trunk leads to somebody else. Else it leads to who has registered at our own endpoint. Never rejects.
   * @param askedInVain holders that are passed over as long as there are others
   */
  registeredContacts(
    trunk: OutboundTrunkProfile,
    askedInVain: readonly string[],
  ): Promise<RegisteredContacts | null> | null;
  /** Whether a peer may refer us to this user of its own; null: it may. */
  refuseReferredUser(user: string): ReferRefusal | null;
  routeInbound(request: InboundRequest): RoutingDecision;
  startInbound(request: InboundRequest, decision: RoutingDecision & { ok: true }): Promise<StartInboundResult>;
  /** May new inbound calls come? False while Temporal or PostgreSQL have been away too long, or the node is in doubt of itself. */
  availability(): Availability;
  /** Whether more is going on than this node's surroundings keep up with; null: they do. */
  overload(): Overload | null;
}
