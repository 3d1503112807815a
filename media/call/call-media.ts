/**
 * The media of one call: its leg, and the agent that speaks on it. Owns both: `close()` closes the agent, then the leg, and
 * is the only way out once the leg was opened.
 */
import type { CommandEffect, CommandResult, ConversationControl } from '../../contract/commands';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import type { CallMetrics } from '../../contract/endings';
import type { TranscriptTurn } from '../../contract/events';
import type { AgentDelegate, AgentPersona, AgentSession } from '../agent/agent-session';
import { TimerSet } from '../clock';
import type { RtpRemote, RtpSession, RtpStats } from '../rtp/rtp-session';
import { carryOut } from './call-control';
import { Leg, type LegDelegate, type LegOptions } from './leg/leg';
import { Supervision, type SupervisionOptions } from './supervision/supervision';
import { Handover, type HandoverOptions } from './transfer/handover';

/** Answer anyway when the first words are not ready by then. */
const WARM_DEADLINE_MS = 3000;

/** The agent of a call on its RTP session: `AgentRuntime.createSession`, or the echo of bench mode. */
export type AgentFactory = (persona: AgentPersona, rtp: RtpSession, delegate: AgentDelegate) => AgentSession;

interface CallMediaDelegate {
  onTurn(turn: TranscriptTurn): void;
  onTurnLatency(ms: number): void;
  onAgentEnd(reason: 'agent_goodbye' | 'silence' | 'error'): void;
  /** `count` digits so far. */
  onDtmf(count: number): void;
}

export interface CallMediaOptions
  extends
    Omit<LegOptions, 'delegate'>,
    Pick<HandoverOptions, 'orgId' | 'network' | 'logger'>,
    Pick<SupervisionOptions, 'listen'> {
  readonly createAgent: AgentFactory;
  readonly delegate: CallMediaDelegate &
    Omit<LegDelegate, 'onDigit' | 'onPlaybackFinished'> &
    Pick<HandoverOptions['delegate'], 'onAgentGone' | 'onFarEnd' | 'onReferred' | 'onMessage'> & {
      readonly onSupervision: SupervisionOptions['delegate']['onEvent'];
    };
}

export class CallMedia {
  /** The caller's, or the callee's: the call lives as long as it. */
  readonly leg: Leg;
  readonly handover: Handover;
  readonly #supervision: Supervision;
  readonly #options: CallMediaOptions;
  readonly #timers: TimerSet<'warm'>;
  readonly #latenciesMs: number[] = [];
  #agent: AgentSession | null = null;
  #closed: Promise<RtpStats | null> | null = null;
  #finishWarm: (() => void) | null = null;
  #agentStarted = false;
  #dtmfCount = 0;
  #turns = 0;

  constructor(options: CallMediaOptions) {
    const { delegate } = options;
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
    this.leg = new Leg({
      ...options,
      delegate: {
        ...delegate,
        onDigit: (digit) => this.#digit(digit),
        onHold: (hold) => {
          this.#holdAgent();
          delegate.onHold(hold);
        },
        onPlaybackFinished: (id) => this.#agent?.onPlaybackFinished(id),
      },
    });
    const { engine, clock, logger, network, orgId, listen } = options;
    const shared = {
      engine,
      clock,
      logger,
      network,
      orgId,
      mediaTimeoutSeconds: DEFAULT_MEDIA_TIMEOUT_SECONDS,
      leg: this.leg,
      agent: () => this.#agent,
    };
    this.handover = new Handover({ ...shared, delegate: { ...delegate, onAway: () => this.#holdAgent() } });
    this.#supervision = new Supervision({
      ...shared,
      listen,
      handedOver: () => this.handover.joined,
      delegate: { onEvent: delegate.onSupervision, onMessage: delegate.onMessage },
    });
  }

  /** Makes the agent and waits until its first words are ready, at most three seconds. Rejects when there is no agent. */
  async warm(persona: AgentPersona): Promise<void> {
    const { rtp } = this.leg;
    if (!rtp) return;
    const agent = this.#options.createAgent(persona, rtp, this.#agentDelegate());
    this.#agent = agent;
    await new Promise<void>((resolve) => {
      const ready = (): void => {
        this.#timers.clear('warm');
        resolve();
      };
      this.#finishWarm = ready;
      this.#timers.arm('warm', WARM_DEADLINE_MS, resolve);
      agent.warm().then(ready, ready);
    });
  }

  /** The call is answered and the far side known: packets flow, the agent speaks. */
  start(remote: RtpRemote): void {
    if (!this.leg.rtp) return;
    this.#timers.clear('warm');
    this.leg.start(remote);
    // Behind NAT the RTP session keeps these words until it knows where to send them.
    this.#agentStarted = true;
    this.#agent?.start();
  }

  /** `done` is told once, and never before the command was taken; not at all where the call ends first. */
  control(control: ConversationControl, done: (effect: CommandEffect) => void): CommandResult {
    const { leg, handover } = this;
    const supervision = this.#supervision;
    const agent = this.#agent;
    return leg.remote && agent
      ? carryOut(control, { leg, agent, handover, supervision }, done)
      : { ok: false, code: 'not_answered' };
  }

  turnLatencyMs(): CallMetrics['turnLatencyMs'] {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    return sorted.length === 0 ? null : { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)) };
  }

  /** Idempotent; the last statistics of the leg, null when it was never open. */
  close(): Promise<RtpStats | null> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<RtpStats | null> {
    this.#timers.clearAll();
    this.#finishWarm?.();
    this.handover.close();
    this.#supervision.close();
    this.leg.silence();
    await this.#finishAgent().catch(() => undefined); // whatever fails at the last words must not keep the port
    return this.leg.close();
  }

  async #finishAgent(): Promise<void> {
    try {
      if (this.#agentStarted) await this.#agent?.finish();
    } finally {
      this.#agent?.close();
    }
  }

  #holdAgent(): void {
    const { ours, theirs } = this.leg.hold;
    this.#agent?.hold(ours || theirs || this.handover.away);
  }

  #digit(digit: string): void {
    this.#options.delegate.onDtmf(++this.#dtmfCount);
    this.handover.onDigit(digit);
    // Whoever waits with music plays with the keys: nothing that the agent is to answer.
    if (!this.leg.hold.ours && !this.handover.away) this.#agent?.onDtmf(digit);
  }

  #agentDelegate(): AgentDelegate {
    const { delegate } = this.#options;
    return {
      onTurn: (turn) => delegate.onTurn({ ...turn, index: this.#turns++ }),
      onEnd: (reason) => {
        // Whoever is on the way to somebody else does not need the agent for that.
        if (!this.#closed && !this.handover.away) delegate.onAgentEnd(reason);
      },
      onTurnLatency: (ms) => {
        this.#latenciesMs.push(ms);
        delegate.onTurnLatency(ms);
      },
    };
  }
}
