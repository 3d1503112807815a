/**
 * A call's peer on its way from the agent to somebody else. It owns the further leg: one at a time, none longer than the
 * call.
 *
 *   none ──dial()──► calling ──answered──► joined ──► (the call ends with either side)
 *     ▲                 │
 *     └─────────────────┘  not answered, released: the peer is back with the agent, which says why
 *
 * While it is calling, the peer hears ringback and the agent neither hears nor is heard. With the answer the node joins the
 * two by itself: audio waits for no workflow.
 */
import type { CommandEffect, CommandRefusal } from '../../../contract/commands';
import type { LegDial } from '../../../contract/transfers';
import type { SipLadderEntry } from '../../../contract/events';
import type { ReasonHeader } from '../../sip/reason';
import type { AgentSession } from '../../agent/agent-session';
import type { Leg } from '../leg/leg';
import { FarLeg, type FarLegOptions, type LegFailure } from './far-leg';
import { sorry, toKnow } from './sorry';

interface HandoverDelegate {
  /** The agent cannot take the peer back: it has said its farewell. */
  onAgentGone(): void;
  /** Who has joined is gone, and the call with it. */
  onFarEnd(why: 'hangup' | 'media_timeout' | 'session_expired' | 'error'): void;
  onMessage(message: SipLadderEntry): void;
  /** The peer is away from the agent, or is back. */
  onAway(away: boolean): void;
}

export interface HandoverOptions extends Omit<FarLegOptions, 'dial' | 'delegate' | 'orgId'> {
  readonly leg: Leg;
  readonly agent: () => AgentSession | null;
  readonly orgId: () => string | null;
  readonly delegate: HandoverDelegate;
}

type Done = (effect: CommandEffect) => void;

const DONE: CommandEffect = { outcome: 'done' };

export class Handover {
  readonly #options: HandoverOptions;
  #state: 'none' | 'calling' | 'joined' | 'closed' = 'none';
  #far: FarLeg | null = null;
  #giveUp: (failure: LegFailure) => void = () => undefined;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** The agent neither hears the peer nor is heard. */
  get away(): boolean {
    return this.#state === 'calling' || this.#state === 'joined';
  }

  /** Why the agent cannot be told anything now. */
  get refusal(): Extract<CommandRefusal, 'transferring' | 'transferred'> | null {
    if (this.#state === 'calling') return 'transferring';
    return this.#state === 'joined' ? 'transferred' : null;
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  /** Taken, where no other is under way. `done` is told when the two are joined, or are not going to be. */
  dial(dial: LegDial, done: Done): void {
    const { engine, clock, logger, network, mediaTimeoutSeconds, orgId, delegate } = this.#options;
    this.#state = 'calling';
    this.#takeAway();
    const settle = (failure: LegFailure): void => {
      this.#far = null;
      this.#bringBack(dial, failure);
      done({ outcome: 'failed', sipStatus: failure.sipStatus, legOutcome: failure.outcome });
    };
    const far = new FarLeg({
      engine,
      clock,
      logger,
      network,
      mediaTimeoutSeconds,
      orgId: orgId() ?? '',
      dial,
      delegate: {
        onAnswered: () => {
          this.#join(far);
          done(DONE);
        },
        onFailed: settle,
        onEnded: (why) => {
          if (this.#state === 'joined') delegate.onFarEnd(why);
        },
        onMessage: (message) => delegate.onMessage(message),
      },
    });
    this.#far = far;
    this.#giveUp = settle;
    void far.dial();
  }

  /** True when nothing of it is left: it was given up, or is over. A peer that has joined stays. */
  release(legId: string): boolean {
    if (this.#far?.legId !== legId) return true;
    if (this.#state !== 'calling') return this.#state === 'closed';
    this.#far.release();
    this.#giveUp({ outcome: 'canceled', sipStatus: null });
    return true;
  }

  /** The call is over, and so is this. Idempotent. */
  close(why?: ReasonHeader): void {
    this.#state = 'closed';
    this.#far?.release(why);
    this.#far = null;
  }

  #takeAway(): void {
    const { leg, delegate } = this.#options;
    leg.rtp?.pause(true);
    leg.rtp?.listen(false);
    leg.rtp?.setBackground('ringback');
    delegate.onAway(true);
  }

  #bringBack(dial: LegDial, { outcome }: LegFailure): void {
    if (this.#state !== 'calling') return;
    this.#state = 'none';
    const { leg, delegate, agent: agentOf } = this.#options;
    leg.rtp?.setBackground(null);
    leg.rtp?.listen(true);
    leg.rtp?.pause(false);
    delegate.onAway(false);
    const agent = agentOf();
    if (!agent?.mayBeTold) return;
    agent.instruct(toKnow(dial.name, outcome));
    // What it was saying when the peer left is no more to the point.
    const refused = agent.say(sorry(dial.name, outcome), { interrupt: true, onOutcome: () => undefined });
    if (refused === 'ended') delegate.onAgentGone();
  }

  #join(far: FarLeg): void {
    this.#state = 'joined';
    const { leg, agent } = this.#options;
    const own = leg.rtp;
    const other = far.leg.rtp;
    if (!own || !other) return;
    own.setBackground(null);
    own.connect(other);
    // The transcript gets its last words; what it had left to say is dropped, not heard.
    const left = agent()?.finish() ?? Promise.resolve();
    void left.catch(() => undefined).then(() => leg.rtp?.pause(false));
  }
}
