/**
 * The media of one call: its leg, and the agent that speaks on it. Owns both: `close()` closes the agent, then the leg, and
 * is the only way out once the leg was opened.
 */
import type { CommandEffect, CommandResult } from '../../contract/commands';
import type { CallMetrics } from '../../contract/endings';
import type { OptOutWay, TranscriptTurn } from '../../contract/events';
import type { TransferWish } from '../../contract/transfers';
import type { AgentDelegate, AgentPersona, AgentSession } from '../agent/agent-session';
import { TimerSet } from '../clock';
import type { RtpRemote, RtpStats } from '../rtp/rtp-session';
import type { AgentFactory } from './agent-factory';
import { carryOut, type MediaControlVerb } from './call-control';
import { Leg, type KeyPress, type LegDelegate, type LegOptions } from './leg/leg';
import { Supervision, type SupervisionOptions } from './supervision/supervision';
import { Handover, type HandoverOptions } from './transfer/handover';
import { TransferWishes } from './transfer/transfer-wishes';

/** Answer anyway when the first words are not ready by then. */
const WARM_DEADLINE_MS = 3000;

interface CallMediaDelegate {
  onTurn(turn: TranscriptTurn): void;
  onTurnLatency(ms: number): void;
  onAgentEnd(reason: 'agent_goodbye' | 'silence' | 'error'): void;
  /** Resolves with whether it is stored. */
  onOptOut(by: OptOutWay): Promise<boolean>;
  /** The id is the transfer's. */
  onTransferWanted(transferId: string, wish: TransferWish): void;
  /** `count` digits so far. */
  onDtmf(count: number): void;
}

export interface CallMediaOptions
  extends
    Omit<LegOptions, 'delegate'>,
    Pick<HandoverOptions, 'orgId' | 'network' | 'logger' | 'handedOver' | 'peerRefers'>,
    Pick<SupervisionOptions, 'listen'> {
  readonly createAgent: AgentFactory;
  readonly delegate: CallMediaDelegate &
    Omit<LegDelegate, 'onDigit' | 'onPlaybackFinished'> &
    Pick<
      HandoverOptions['delegate'],
      'onAgentGone' | 'onFarEnd' | 'onReferred' | 'onReplaced' | 'onSuccession' | 'onMessage' | 'onConsult'
    > & { readonly onSupervision: SupervisionOptions['delegate']['onEvent'] };
}

export class CallMedia {
  /** The caller's, or the callee's: the call lives as long as it. */
  readonly leg: Leg;
  readonly handover: Handover;
  readonly #wishes: TransferWishes;
  readonly #supervision: Supervision;
  readonly #options: CallMediaOptions;
  readonly #timers: TimerSet<'warm'>;
  readonly #latenciesMs: number[] = [];
  #openingSilenceMs: number | null = null;
  #agent: AgentSession | null = null;
  #persona: AgentPersona | null = null;
  #closed: Promise<RtpStats | null> | null = null;
  #finishWarm: (() => void) | null = null;
  #agentStarted = false;
  #dtmfCount = 0;
  #turns = 0;

  constructor(options: CallMediaOptions) {
    const { engine, clock, logger, network, orgId, createAgent, handedOver, peerRefers, listen, delegate } = options;
    this.#options = options;
    this.#timers = new TimerSet(clock);
    const { codecs, dtmfMode, localMedia } = options;
    this.leg = new Leg({ engine, clock, codecs, dtmfMode, localMedia, delegate: this.#legDelegate() });
    const { leg } = this;
    const agent = (): AgentSession | null => this.#agent;
    this.handover = new Handover({
      engine,
      clock,
      logger,
      network,
      orgId,
      leg,
      agent,
      persona: () => this.#persona,
      createAgent,
      handedOver,
      peerRefers,
      supervised: () => this.#supervision.underWay,
      onAway: () => this.#holdAgent(),
      delegate,
    });
    this.#supervision = new Supervision({
      engine,
      clock,
      logger,
      network,
      orgId,
      leg,
      agent,
      listen,
      joined: () => this.handover.joined,
      delegate: { onEvent: delegate.onSupervision, onMessage: delegate.onMessage },
    });
    this.#wishes = new TransferWishes({
      clock,
      agent: () => this.#agent,
      away: () => this.handover.away,
      onWanted: (transferId, wish) => delegate.onTransferWanted(transferId, wish),
    });
  }

  /** Makes the agent and waits until its first words are ready, at most three seconds. Rejects when there is no agent. */
  async warm(persona: AgentPersona): Promise<void> {
    const { rtp } = this.leg;
    if (!rtp) return;
    this.#wishes.offered = persona.destinations ?? [];
    const agent = this.#options.createAgent(persona, rtp, this.#agentDelegate());
    this.#agent = agent;
    this.#persona = persona;
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
  control(commandId: string, control: MediaControlVerb, done: (effect: CommandEffect) => void): CommandResult {
    const { leg, handover } = this;
    const supervision = this.#supervision;
    const wishes = this.#wishes;
    const agent = this.#agent;
    if (!leg.remote || !agent) return { ok: false, code: 'not_answered' };
    if (!wishes.mayCarryOut(commandId)) return { ok: false, code: 'withdrawn' };
    const result = carryOut(control, { leg, agent, handover, wishes, supervision }, done);
    if (result.ok) wishes.onTaken(commandId);
    return result;
  }

  /** What the agent's part in the conversation was measured to be. */
  figures(): Pick<CallMetrics, 'turnLatencyMs' | 'openingSilenceMs'> {
    return { turnLatencyMs: this.#turnLatencyMs(), openingSilenceMs: this.#openingSilenceMs };
  }

  /** Idempotent; the last statistics of the leg, null when it was never open. */
  close(): Promise<RtpStats | null> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<RtpStats | null> {
    this.#timers.clearAll();
    this.#finishWarm?.();
    this.#wishes.close();
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

  #turnLatencyMs(): CallMetrics['turnLatencyMs'] {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    return sorted.length === 0 ? null : { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)) };
  }

  #holdAgent(): void {
    const { ours, theirs } = this.leg.hold;
    this.#agent?.hold(ours || theirs || this.handover.away);
  }

  #digit(digit: string, press: KeyPress): void {
    this.handover.onDigit(digit, press);
    if (press.twin) return;
    this.#options.delegate.onDtmf(++this.#dtmfCount);
    // Whoever waits with music plays with the keys: nothing that the agent is to answer.
    if (!this.leg.hold.ours && !this.handover.away) this.#agent?.onDtmf(digit);
  }

  /** Named one by one: spreading so wide an object takes longer than all else that a call is made of. */
  #legDelegate(): LegDelegate {
    const { delegate } = this.#options;
    return {
      onDigit: (digit, press) => this.#digit(digit, press),
      onHold: (hold) => {
        this.#holdAgent();
        this.handover.holdChanged();
        delegate.onHold(hold);
      },
      onPlaybackFinished: (id) => this.#agent?.onPlaybackFinished(id),
      onMediaTimeout: () => delegate.onMediaTimeout(),
      onMediaQuiet: (quiet) => delegate.onMediaQuiet(quiet),
      onDeaf: (packetsForeign) => delegate.onDeaf(packetsForeign),
      onFailure: () => delegate.onFailure(),
      onFirstPacketSent: (atMs) => delegate.onFirstPacketSent(atMs),
      onFirstPacketReceived: (atMs) => delegate.onFirstPacketReceived(atMs),
    };
  }

  #agentDelegate(): AgentDelegate {
    const { delegate } = this.#options;
    return {
      onTurn: (turn) => delegate.onTurn({ ...turn, index: this.#turns++ }),
      onEnd: (reason) => {
        // Whoever is on the way to somebody else does not need the agent for that.
        if (!this.#closed && !this.handover.away) delegate.onAgentEnd(reason);
      },
      onTransfer: (wish) => !this.#closed && this.#wishes.want(wish),
      onTurnLatency: (ms) => {
        this.#latenciesMs.push(ms);
        delegate.onTurnLatency(ms);
      },
      onOpeningSilence: (ms) => (this.#openingSilenceMs = ms),
      onOptOut: (by) => delegate.onOptOut(by),
    };
  }
}
