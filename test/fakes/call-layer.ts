import pino from 'pino';
import type { DialCommand, DialResult } from '../../contract/commands';
import type { AgentDelegate, AgentPersona } from '../../media/agent/agent-session';
import type { CallObserver } from '../../media/call/call-observer';
import { CallRegistry } from '../../media/call/call-registry';
import { GatewayRests } from '../../media/call/gateway-rests';
import { InboundCall } from '../../media/call/inbound-call';
import { NodeMediaControl } from '../../media/call/media-control';
import { RecentAttempts } from '../../media/call/recent-attempts';
import { FakeAgent } from './fake-agent';
import { FakeCapacity } from './fake-capacity';
import { FakeClock, settle } from './fake-clock';
import { AGENT, FakeDirectory, TRUNK } from './fake-directory';
import { FakeRtpEngine } from './fake-rtp-engine';
import { FakeInboundDialog, FakeSipEndpoint } from './fake-sip';
import { NO_OBSERVER } from './no-observer';
import { RecordingEvents } from './recording-events';

export const BOOT_ID = 'boot-1';

export const DIAL: DialCommand = {
  callId: 'call-out',
  orgId: 'org-1',
  attemptId: 'attempt-1',
  sipCallId: 'sip-out',
  agentId: AGENT.id,
  trunkId: TRUNK.id,
  to: '+15557654321',
  callerNumber: TRUNK.callerNumber,
  firstMessage: null,
  ringTimeoutSeconds: 30,
  maxDurationSeconds: 600,
};

/** What listens to one session of RTP. */
interface FakeEar {
  readonly mediaId: number;
  readonly onSaid: (text: string | null) => void;
  closed: number;
}

/** The call layer of a node over fakes on every side. */
export class CallLayer {
  readonly clock = new FakeClock();
  readonly events = new RecordingEvents();
  readonly rtp = new FakeRtpEngine();
  readonly endpoint = new FakeSipEndpoint();
  readonly directory = new FakeDirectory();
  readonly agents: FakeAgent[] = [];
  readonly ears: FakeEar[] = [];
  readonly rejected: string[] = [];
  readonly capacity = new FakeCapacity();
  readonly rests = new GatewayRests(this.clock, this.capacity);
  readonly attempts = new RecentAttempts(this.clock);
  warmAtOnce = true;
  /** Throws in the place of making an agent. */
  agentFault: (() => never) | null = null;
  readonly registry: CallRegistry;
  readonly control: NodeMediaControl;
  readonly #observer: CallObserver = { ...NO_OBSERVER, rejected: (reason) => this.rejected.push(reason) };

  readonly #recognises: boolean;

  constructor(options: { readonly maxCalls?: number; readonly recognises?: boolean } = {}) {
    this.#recognises = options.recognises ?? true;
    this.registry = new CallRegistry({ clock: this.clock, maxCalls: options.maxCalls ?? 10 });
    this.control = new NodeMediaControl({
      clock: this.clock,
      registry: this.registry,
      directory: this.directory,
      attempts: this.attempts,
      calls: { ...this.#shared(), endpoint: this.endpoint, nodeId: 'node-1', bootId: BOOT_ID },
    });
  }

  get agent(): FakeAgent {
    return this.agents.at(-1)!;
  }

  /** An INVITE reaches the layer. */
  receive(dialog = new FakeInboundDialog()): FakeInboundDialog {
    const { directory, registry, attempts } = this;
    InboundCall.receive(dialog, { ...this.#shared(), directory, registry, attempts });
    return dialog;
  }

  async answered(dialog = new FakeInboundDialog()): Promise<FakeInboundDialog> {
    this.receive(dialog);
    await settle();
    dialog.ack();
    return dialog;
  }

  dial(
    command: Partial<DialCommand> = {},
    beforeSend = (): Promise<boolean> => Promise.resolve(true),
    beforeFailover = (): Promise<string | null> => Promise.resolve(null),
  ): Promise<DialResult> {
    const deadlineMs = this.clock.epochMs() + 3000;
    return this.control.dial({ ...DIAL, ...command }, { deadlineMs, beforeSend, beforeFailover });
  }

  hangup(callId: string, commandId = 'command-1', bootId = BOOT_ID): ReturnType<NodeMediaControl['control']> {
    const control = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
    return this.control.control({ callId, commandId, bootId, control });
  }

  /** A hang-up that is meant for a phone that rings alone. */
  giveUp(callId: string): ReturnType<NodeMediaControl['control']> {
    const control = { type: 'hangup', unanswered: true, endReason: 'api_hangup', endedBy: 'api' } as const;
    return this.control.control({ callId, commandId: 'give-up', bootId: BOOT_ID, control });
  }

  #hear(mediaId: number, onSaid: (text: string | null) => void): { readonly close: () => void } {
    const ear: FakeEar = { mediaId, onSaid, closed: 0 };
    this.ears.push(ear);
    return { close: () => void ear.closed++ };
  }

  #shared() {
    return {
      clock: this.clock,
      events: this.events,
      rtp: this.rtp,
      capacity: this.capacity,
      network: {
        endpoint: () => this.endpoint,
        directory: this.directory,
        registry: this.registry,
        capacity: this.capacity,
        rests: this.rests,
      },
      observer: this.#observer,
      logger: pino({ level: 'silent' }),
      listen: this.#recognises
        ? (mediaId: number, onSaid: (text: string | null) => void) => this.#hear(mediaId, onSaid)
        : null,
      createAgent: (persona: AgentPersona, _rtp: unknown, delegate: AgentDelegate) => {
        this.agentFault?.();
        const agent = new FakeAgent(persona, delegate, this.warmAtOnce);
        this.agents.push(agent);
        return agent;
      },
    };
  }
}
