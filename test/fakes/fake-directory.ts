import type {
  AgentProfile,
  Availability,
  CallDirectory,
  InboundRequest,
  InboundTrunkProfile,
  OutboundTrunkProfile,
  Overload,
  ReferRefusal,
  RoutingDecision,
  StartInboundResult,
} from '../../contract/directory';
import type { RegisteredContacts } from '../../contract/registration';

export const AGENT: AgentProfile = {
  id: 'agent-1',
  orgId: 'org-1',
  name: 'Support',
  type: 'inbound',
  language: ['en'],
  firstMessage: 'Hello there.',
  instructions: [],
  voiceId: null,
  ttsSpeedPct: 100,
  interruptible: true,
  useOrgKnowledgebase: false,
  sttKeyterms: [],
  maxCallDurationSeconds: 600,
  silenceTimeoutSeconds: 10,
};

export const TRUNK: OutboundTrunkProfile = {
  id: 'trunk-out',
  orgId: 'org-1',
  host: 'carrier.example',
  port: 5060,
  transport: 'udp',
  username: 'user',
  password: 'secret',
  callerNumber: '+15550000001',
  mediaTimeoutSeconds: 45,
  register: false,
  optionsPing: true,
};

/** Routes every INVITE to one agent; the start is answered at once or when the test says so. */
export class FakeDirectory implements CallDirectory {
  readonly requests: InboundRequest[] = [];
  decision: RoutingDecision = {
    ok: true,
    agent: AGENT,
    rule: 'trunk_number',
    steps: [{ rule: 'trunk_number', matched: true, reason: 'The number is on the trunk.' }],
    dialedNumber: '+15551234567',
    callerNumber: '+15557654321',
    mediaTimeoutSeconds: 60,
  };
  outbound: OutboundTrunkProfile = TRUNK;
  available: Availability = { available: true, retryAfterSeconds: 5, reason: null };
  overloaded: Overload | null = null;
  start: (request: InboundRequest) => Promise<StartInboundResult> = (request) =>
    Promise.resolve({ ok: true, callId: `call-${request.sipCallId}`, sessionId: 'session-1' });

  /** Of the calls that come in. */
  trunk: InboundTrunkProfile | undefined;

  inboundTrunk(): InboundTrunkProfile | undefined {
    return this.trunk;
  }

  inboundTrunkAt(): InboundTrunkProfile | undefined {
    return undefined;
  }

  /** Of every user that a peer refers us to. */
  referRefusal: ReferRefusal | null = null;

  refuseReferredUser(): ReferRefusal | null {
    return this.referRefusal;
  }

  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined {
    return trunkId === this.outbound.id ? this.outbound : undefined;
  }

  /** What the agent of that id is. */
  profile: AgentProfile = AGENT;

  agent(agentId: string): AgentProfile | undefined {
    return agentId === AGENT.id ? this.profile : undefined;
  }

  /** Of every trunk; null: none leads to ourselves. */
  registered: RegisteredContacts | null = null;

  registeredContacts(): Promise<RegisteredContacts | null> | null {
    return this.registered === null ? null : Promise.resolve(this.registered);
  }

  routeInbound(): RoutingDecision {
    return this.decision;
  }

  startInbound(request: InboundRequest): Promise<StartInboundResult> {
    this.requests.push(request);
    return this.start(request);
  }

  overload(): Overload | null {
    return this.overloaded;
  }

  availability(): Availability {
    return this.available;
  }
}
