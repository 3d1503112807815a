/**
 * A call's peer on its way from the agent to somebody else. It owns the further leg: one at a time, none longer than the
 * call.
 *
 *   none ──dial()──► calling ──answered──► joined ──► (the call ends with either side)
 *     ▲ └─refer()──►  │  ▲  └──referred──────↗
 *     │               │  │dial()
 *     │               ├─ between: the peer would not, and we are about to call
 *     └───────────────┘  not answered, released: the peer is back with the agent, which says why
 *
 * While it is calling, the peer hears ringback and the agent neither hears nor is heard. With the answer the node joins the
 * two by itself: audio waits for no workflow.
 */
import type { CommandEffect, CommandRefusal } from '../../../contract/commands';
import type { LegDial } from '../../../contract/transfers';
import type { SipLadderEntry } from '../../../contract/events';
import { TimerSet } from '../../clock';
import type { ReasonHeader } from '../../sip/reason';
import type { AgentSession } from '../../agent/agent-session';
import type { Leg } from '../leg/leg';
import { FarLeg, type FarLegOptions, type LegFailure } from './far-leg';
import { referralOf, referRequest } from './referral';
import { sorry, toKnow } from './sorry';

interface HandoverDelegate {
  /** The agent cannot take the peer back: it has said its farewell. */
  onAgentGone(): void;
  /** Who has joined is gone, and the call with it. */
  onFarEnd(why: 'hangup' | 'media_timeout' | 'session_expired' | 'error'): void;
  onMessage(message: SipLadderEntry): void;
  /** The peer was referred, has got there, and has not hung up on us. */
  onReferred(): void;
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
/** Whoever talks to somebody else hangs up on us; this long it may take. */
const BYE_AFTER_MS = 2_000;
/** For the dial after a REFER that was refused: then somebody has to talk to the peer. */
const BETWEEN_MS = 15_000;

export class Handover {
  readonly #options: HandoverOptions;
  readonly #timers: TimerSet<'between' | 'bye'>;
  #state: 'none' | 'calling' | 'between' | 'joined' | 'closed' = 'none';
  #far: FarLeg | null = null;
  #legId: string | null = null;
  #giveUp: (failure: LegFailure) => void = () => undefined;
  #referral: Promise<void> | null = null;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** The agent neither hears the peer nor is heard. */
  get away(): boolean {
    return this.#state === 'calling' || this.#state === 'between' || this.#state === 'joined';
  }

  /** Why the agent cannot be told anything now. */
  get refusal(): Extract<CommandRefusal, 'transferring' | 'transferred'> | null {
    if (this.#state === 'calling' || this.#state === 'between') return 'transferring';
    return this.#state === 'joined' ? 'transferred' : null;
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  /** Nobody is being called, nor asked to. */
  get mayDial(): boolean {
    return this.#state === 'none' || this.#state === 'between';
  }

  /** What a REFER under way comes to is known before this resolves; null without one. */
  get referral(): Promise<void> | null {
    return this.#referral;
  }

  /** Taken, where no other is under way. `done` is told when the two are joined, or are not going to be. */
  dial(dial: LegDial, done: Done): void {
    const { engine, clock, logger, network, mediaTimeoutSeconds, orgId, delegate } = this.#options;
    const settle = this.#begin(dial, done);
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
        onDigit: (digit) => this.#relay(digit, this.#options.leg),
        onFailed: settle,
        onEnded: (why) => {
          if (this.#state === 'joined') delegate.onFarEnd(why);
        },
        onMessage: (message) => delegate.onMessage(message),
      },
    });
    this.#far = far;
    void far.dial();
  }

  /** Taken, where nothing else is under way. With `fallback` a peer that will not stays away, for `dial` to come. */
  refer(dial: LegDial, fallback: boolean, done: Done): void {
    const settle = this.#begin(dial, done);
    this.#referral = this.#refer(dial, fallback, done, settle);
  }

  /** True when nothing of it is left: it was given up, or is over. A peer that has joined stays. */
  release(legId: string): boolean {
    if (this.#legId !== legId || !this.away) return true;
    if (this.#state === 'joined') return false;
    this.#far?.release();
    this.#giveUp({ outcome: 'canceled', sipStatus: null });
    return true;
  }

  /** A key of the call's peer. */
  onDigit(digit: string): void {
    if (this.#far !== null) this.#relay(digit, this.#far.leg);
  }

  /** The call is over, and so is this. Idempotent. */
  close(why?: ReasonHeader): void {
    this.#state = 'closed';
    this.#timers.clearAll();
    this.#far?.release(why);
    this.#far = null;
  }

  /** Answers what is to be called when it fails. */
  #begin(dial: LegDial, done: Done): (failure: LegFailure) => void {
    this.#timers.clearAll();
    this.#state = 'calling';
    this.#legId = dial.legId;
    this.#takeAway();
    this.#giveUp = (failure) => {
      if (!this.away || this.#legId !== dial.legId) return;
      this.#far = null;
      this.#bringBack(dial, failure);
      done({ outcome: 'failed', sipStatus: failure.sipStatus, legOutcome: failure.outcome });
    };
    return this.#giveUp;
  }

  async #refer(dial: LegDial, fallback: boolean, done: Done, settle: (failure: LegFailure) => void): Promise<void> {
    const { leg } = this.#options;
    const request = leg.dialog && referRequest(dial, leg.dialog);
    const outcome = request && (await leg.dialog?.refer(request, () => undefined).catch(() => null));
    this.#referral = null;
    if (this.#state !== 'calling' || this.#legId !== dial.legId) return;
    // It has no URI that anybody can call.
    if (!outcome) return settle({ outcome: 'failed', sipStatus: null });
    const referral = referralOf(outcome);
    if (referral.kind === 'referred') this.#referred(referral.assumed, done);
    else if (referral.kind === 'failed') {
      const { failure, mayTryAgain } = referral;
      if (!fallback || !mayTryAgain) return settle(failure);
      this.#state = 'between';
      this.#timers.arm('between', BETWEEN_MS, () => this.#bringBack(dial, failure));
      done({ outcome: 'failed', sipStatus: failure.sipStatus, legOutcome: failure.outcome });
    }
  }

  /** The peer talks to somebody else by now, and we owe it a BYE unless it is quicker (RFC 3515 §2.4.5). */
  #referred(assumed: boolean, done: Done): void {
    const { leg, agent, delegate } = this.#options;
    this.#state = 'joined';
    leg.rtp?.setBackground(null);
    void agent()
      ?.finish()
      .catch(() => undefined);
    if (!assumed) this.#timers.arm('bye', BYE_AFTER_MS, () => delegate.onReferred());
    done(assumed ? { ...DONE, legOutcome: 'transferred_assumed' } : DONE);
  }

  #relay(digit: string, to: Leg): void {
    if (this.#state === 'joined') to.relay(digit);
  }

  #takeAway(): void {
    const { leg, delegate } = this.#options;
    leg.rtp?.pause(true);
    leg.rtp?.listen(false);
    leg.rtp?.setBackground('ringback');
    delegate.onAway(true);
  }

  #bringBack(dial: LegDial, { outcome }: LegFailure): void {
    if (this.#state !== 'calling' && this.#state !== 'between') return;
    this.#timers.clearAll();
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
