/** The commands of a node over its calls. */
import type {
  CallCommand,
  CallNodeStatus,
  CommandResult,
  DialCommand,
  DialOptions,
  DialRefusal,
  DialResult,
  LiveCall,
  MediaControl,
} from '../../contract/commands';
import type { CallDirectory } from '../../contract/directory';
import type {
  InboundTrunkCheck,
  InboundTrunkFindings,
  OutboundTrunkCheck,
  OutboundTrunkReport,
} from '../../contract/trunk-check';
import type { Clock } from '../clock';
import type { CallRegistry } from './call-registry';
import type { AgentPersona } from '../agent/agent-session';
import { OutboundCall, type OutboundCallDeps } from './outbound-call';
import { announcer, personaOf, scripted } from './persona';
import type { RecentAttempts } from './recent-attempts';
import { checkInboundTrunk } from './trunk-check/inbound-check';
import { checkOutboundTrunk } from './trunk-check/outbound-check';

export interface MediaControlOptions {
  readonly clock: Clock;
  readonly registry: CallRegistry;
  readonly directory: CallDirectory;
  readonly attempts: Pick<RecentAttempts, 'of'>;
  readonly calls: OutboundCallDeps;
}

const OK: CommandResult = { ok: true };
const UNKNOWN: CommandResult = { ok: false, code: 'call_unknown' };
const ANSWERED: CommandResult = { ok: false, code: 'answered' };
const ENDED: CommandResult = { ok: false, code: 'ended' };

export class NodeMediaControl implements MediaControl {
  readonly nodeId: string;
  readonly bootId: string;
  readonly #options: MediaControlOptions;

  constructor(options: MediaControlOptions) {
    this.#options = options;
    this.nodeId = options.calls.nodeId;
    this.bootId = options.calls.bootId;
  }

  dial(command: DialCommand, options: DialOptions): Promise<DialResult> {
    return this.#options.registry.dialOnce(command.attemptId, () => this.#dial(command, options));
  }

  async control(command: CallCommand): Promise<CommandResult> {
    // A restarted node knows nothing of the calls of its older boot.
    if (command.bootId !== this.bootId) return UNKNOWN;
    const { registry } = this.#options;
    const { callId, commandId, control } = command;
    return registry.commandOnce(callId, commandId, async () => {
      const call = registry.find(callId);
      if (!call && !registry.hasEnded(callId)) return UNKNOWN;
      if (control.type !== 'hangup') return call?.control(commandId, control) ?? ENDED;
      if (control.unanswered === true && call?.liveState === 'answered') return ANSWERED;
      call?.hangUp(control.endReason, control.endedBy);
      return OK;
    });
  }

  status(callId: string): CallNodeStatus {
    return this.#options.registry.status(callId);
  }

  listCalls(): readonly LiveCall[] {
    return this.#options.registry.list();
  }

  tombstone(callId: string): void {
    const { registry } = this.#options;
    registry.tombstone(callId);
    registry.find(callId)?.hangUp('workflow_lost', 'system');
  }

  workflowLost(callId: string): void {
    this.#options.registry.find(callId)?.hangUp('workflow_lost', 'system');
  }

  bootLost(): void {
    this.#options.registry.hangUpAll('media_node_lost', 'system');
  }

  trunkRevoked(trunkId: string): void {
    // Only a request to the API deletes a trunk.
    this.#options.registry.hangUpTrunk(trunkId, 'api_hangup', 'api');
  }

  async checkOutboundTrunk(check: OutboundTrunkCheck): Promise<OutboundTrunkReport | null> {
    const { registry, directory, calls } = this.#options;
    const trunk = directory.outboundTrunk(check.trunkId);
    if (!trunk || trunk.orgId !== check.orgId) return null;
    return await checkOutboundTrunk({ ...calls, registry }, trunk, check);
  }

  checkInboundTrunk(check: InboundTrunkCheck): Promise<InboundTrunkFindings> {
    const { directory, attempts, calls } = this.#options;
    return checkInboundTrunk({ ...calls, directory, attempts }, check);
  }

  async #dial(command: DialCommand, options: DialOptions): Promise<DialResult> {
    const { registry, directory, calls } = this.#options;
    const refused = (code: DialRefusal, detail: string): DialResult => {
      calls.observer.rejected(`dial_${code}`);
      return { sent: false, code, detail };
    };
    const persona = this.#persona(command);
    if (persona === null) return refused('unknown_agent', 'no such agent');
    const trunk = directory.outboundTrunk(command.trunkId);
    if (!trunk || trunk.orgId !== command.orgId) return refused('unknown_trunk', 'no such outbound trunk');
    const { callId } = command;
    const { deadlineMs } = options;
    const early = this.#refusal(callId, deadlineMs, null) ?? registry.fullness;
    if (early) return refused(early, 'before the attempt was recorded');
    const asked = directory.registeredContacts(trunk, command.askedInVain ?? []);
    const registered = asked === null ? null : await asked;
    if (registered?.kind === 'unknown') return refused('store_unavailable', 'registrations cannot be read');
    if (registered?.kind === 'elsewhere') {
      calls.observer.rejected('dial_held_elsewhere');
      return { sent: false, code: 'held_elsewhere', holder: registered.nodeId };
    }
    const full = registry.fullness;
    if (full !== null) return refused(full, 'admission');
    const call = new OutboundCall({
      command,
      persona,
      trunk,
      contacts: registered?.contacts ?? null,
      deps: calls,
      onEnded: (ended) => {
        registry.leave(ended);
        calls.capacity.attemptOver(command.attemptId);
      },
    });
    // What the trunk carries is not this node's alone to know: `beforeSend` asks.
    registry.enter(call);
    return call.dial({
      ...options,
      beforeSend: async () => {
        const sends = await options.beforeSend();
        // Known from here, before the trunk is reached: it may be asked for, and hung up.
        if (sends) registry.identify(call, callId);
        return sends;
      },
      refusal: () => this.#refusal(callId, deadlineMs, call),
    });
  }

  /** Who speaks; null when there is no such agent. */
  #persona({ callId, orgId, agentId, announcement, firstMessage, script }: DialCommand): AgentPersona | null {
    if (announcement !== undefined) return announcer(callId, announcement);
    const agent = agentId === null ? undefined : this.#options.directory.agent(agentId);
    if (agent === undefined || agent.orgId !== orgId) return null;
    const persona = personaOf(callId, agent, firstMessage);
    return script === undefined ? persona : scripted(persona, script);
  }

  /** `own`: the call that asks. */
  #refusal(callId: string, deadlineMs: number, own: OutboundCall | null): DialRefusal | null {
    const { registry, clock } = this.#options;
    // A call that is or was here has had its attempt.
    const other = (registry.find(callId) ?? own) !== own;
    if (registry.isTombstoned(callId) || other || registry.hasEnded(callId)) return 'tombstoned';
    if (clock.epochMs() >= deadlineMs) return 'too_late';
    return registry.draining ? 'node_draining' : null;
  }
}
