/** What a media node is given to know: who may call in, who answers, over which trunk a call goes out. */

/** By this header of an INVITE a phone system names the agent that shall answer. */
export const AGENT_ID_HEADER = 'X-OPENCX-AGENT-ID';

/** How long a peer may send nothing while the agent is silent too, where its trunk does not say. */
export const DEFAULT_MEDIA_TIMEOUT_SECONDS = 30;

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
}

export interface InboundTrunkProfile {
  readonly id: string;
  readonly orgId: string;
  readonly username: string;
  readonly password: string;
  /** The one before the last rotation lets calls in too, until then. */
  readonly previousPassword?: { readonly password: string; readonly validUntilMs: number } | null;
  readonly phoneNumbers: readonly string[];
  readonly mediaTimeoutSeconds: number;
}

export interface OutboundTrunkProfile {
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
   * Both are answered with 503 + Retry-After. `unavailable`: the workflow was not started in time, the peer may try
   * another node. `duplicate`: the call belongs to another node or boot.
   */
  | { readonly ok: false; readonly reason: 'unavailable' | 'duplicate' };

export interface Availability {
  readonly available: boolean;
  /** Seconds for Retry-After when not available. */
  readonly retryAfterSeconds: number;
  readonly reason: string | null;
}

/** Answers from memory except `startInbound`, which waits for the workflow's start (≤ 2 s) and nothing else. */
export interface CallDirectory {
  inboundTrunk(username: string): InboundTrunkProfile | undefined;
  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined;
  agent(agentId: string): AgentProfile | undefined;
  routeInbound(request: InboundRequest): RoutingDecision;
  startInbound(request: InboundRequest, decision: RoutingDecision & { ok: true }): Promise<StartInboundResult>;
  /** May new inbound calls come? False while Temporal or PostgreSQL have been away too long, or the node is in doubt of itself. */
  availability(): Availability;
}
