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
} from '../contract/directory';
import type { VerificationRound } from '../contract/number-verification';
import type { RegisteredContacts } from '../contract/registration';
import { sealDetails } from '../store/call-details';
import type { SealedCallDetails } from '../store/call-details';
import { inboundCallId, uuidV8 } from '../store/ids';
import { refuseReferredUser } from '../store/routing/referred-user';
import type { SecretBox } from '../store/secrets';
import type { InboundCallInput } from '../workflows/call/input';
import type { CallWorkflows } from '../workflows/client/call-workflows';
import type { ConfigSnapshot } from './config-snapshot';
import { routeInbound } from './inbound-routing';
import { startInbound } from './inbound-start';
import type { InboundStarts } from './inbound-starts';
import type { NodeLoad } from './node-load';
import type { NodeStanding } from './node-standing';
import type { OutageClock } from './outage-clock';
import type { Registrations } from './registrations';
import type { WriteHealth } from './write-health';

/** Without Temporal no call can begin: peers are told so after this, before they try. */
const TEMPORAL_OUTAGE_MS = 5_000;
/** Without PostgreSQL calls are served from memory for this long. */
const STORE_OUTAGE_MS = 600_000;
const RETRY_AFTER_SECONDS = 5;

export interface NodeCallDirectoryOptions {
  readonly nodeId: string;
  readonly bootId: string;
  readonly snapshot: ConfigSnapshot;
  readonly registrations: Pick<Registrations, 'contacts'>;
  readonly secrets: SecretBox;
  readonly workflows: Pick<CallWorkflows, 'start' | 'describe'>;
  readonly temporalOutage: OutageClock;
  readonly storeOutage: OutageClock;
  readonly standing: Pick<NodeStanding, 'current'>;
  readonly writes: Pick<WriteHealth, 'failing'>;
  /** The workflow of the call is started: its row is owed. Never throws. */
  readonly onStarted: (input: InboundCallInput, details: SealedCallDetails) => void;
  /** The workflow of a call that was turned away may have begun. Never throws. */
  readonly onUnsure: (callId: string) => void;
  readonly starts: Pick<InboundStarts, 'run'>;
  readonly load: Pick<NodeLoad, 'overload'>;
  /** A call to a number that it verifies has come in. Never throws. */
  readonly onAwaited: (round: VerificationRound) => void;
  readonly nowMs?: () => number;
}

/** Everything from memory, except the start of an inbound call's workflow and who is registered. */
export class NodeCallDirectory implements CallDirectory {
  readonly #options: NodeCallDirectoryOptions;

  constructor(options: NodeCallDirectoryOptions) {
    this.#options = options;
  }

  inboundTrunk(username: string): InboundTrunkProfile | undefined {
    return this.#options.snapshot.inboundTrunk(username);
  }

  inboundTrunkAt(address: string): InboundTrunkProfile | undefined {
    return this.#options.snapshot.inboundTrunkAt(address);
  }

  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined {
    return this.#options.snapshot.outboundTrunk(trunkId);
  }

  agent(agentId: string): AgentProfile | undefined {
    return this.#options.snapshot.agent(agentId);
  }

  registeredContacts(
    trunk: OutboundTrunkProfile,
    askedInVain: readonly string[],
  ): Promise<RegisteredContacts | null> | null {
    return this.#options.registrations.contacts(trunk, askedInVain);
  }

  refuseReferredUser(user: string): ReferRefusal | null {
    return refuseReferredUser(user);
  }

  routeInbound(request: InboundRequest): RoutingDecision {
    const { snapshot, onAwaited } = this.#options;
    // Whatever becomes of the call, its INVITE was authenticated.
    const { numbers, awaited } = snapshot.organisation(request.orgId);
    const round = awaited.find(request.dialedUser);
    if (round !== undefined && numbers.dialed(request.dialedUser)?.own == null) onAwaited(round);
    return routeInbound(snapshot, request);
  }

  async startInbound(request: InboundRequest, decision: RoutingDecision & { ok: true }): Promise<StartInboundResult> {
    const { nodeId, bootId, secrets, standing } = this.#options;
    // It came in while the node stood still: its caller may be gone, and whoever is lost begins nothing.
    if (standing.current !== 'good') return { ok: false, reason: 'unavailable' };
    const { trunkId, orgId, sipCallId } = request;
    const callId = inboundCallId(trunkId, sipCallId, request.fromTag, request.cseq);
    const sessionId = uuidV8('session', callId);
    const details: SealedCallDetails = {
      from: decision.callerNumber,
      to: decision.dialedNumber,
      privacy: request.privacy,
      routing: { steps: decision.steps, agentId: decision.agent.id },
      firstMessage: null,
      metadata: {},
    };
    const input: InboundCallInput = {
      direction: 'inbound',
      callId,
      orgId,
      agentId: decision.agent.id,
      trunkId,
      sessionId,
      sealed: sealDetails(secrets, { callId, orgId }, details),
      createdAtMs: (this.#options.nowMs ?? Date.now)(),
      maxDurationSeconds: decision.agent.maxCallDurationSeconds,
      nodeId,
      bootId,
      sipCallId,
      routingRule: decision.rule,
      rowByNode: true,
    };
    const { starts, workflows } = this.#options;
    const outcome = await starts.run(() => startInbound(workflows, input));
    if (outcome === 'started') {
      this.#options.temporalOutage.answered();
      this.#options.onStarted(input, details);
      return { ok: true, callId, sessionId };
    }
    if (outcome === 'unsure') this.#options.onUnsure(callId);
    if (outcome === 'foreign') return { ok: false, reason: 'duplicate' };
    return { ok: false, reason: outcome === 'busy' ? 'busy' : 'unavailable' };
  }

  availability(): Availability {
    const { temporalOutage, storeOutage, standing, writes } = this.#options;
    if (standing.current !== 'good') return unavailable(`node_${standing.current}`);
    if (temporalOutage.silentMs > TEMPORAL_OUTAGE_MS) return unavailable('temporal_unreachable');
    if (storeOutage.silentMs > STORE_OUTAGE_MS) return unavailable('store_unreachable');
    const [refusing] = writes.failing;
    if (refusing !== undefined) return unavailable(`${refusing}_refuses_writes`);
    return { available: true, retryAfterSeconds: 0, reason: null };
  }

  overload(): Overload | null {
    return this.#options.load.overload;
  }
}

function unavailable(reason: string): Availability {
  return { available: false, retryAfterSeconds: RETRY_AFTER_SECONDS, reason };
}
