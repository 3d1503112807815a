/**
 * A call's peer on its way from the agent to somebody else. It owns the further leg: one at a time, none longer than the
 * call.
 *
 *   none ──dial()──► calling ──answered──► joined ──► (the call ends with either side)
 *     ▲ └─refer()──►  │  ▲  └──referred──────↗
 *     │   └consult()─►│  │   └─answered, asked, accepted─↗
 *     │               │  │dial()
 *     │               ├─ between: the peer would not, and we are about to call
 *     └───────────────┘  not answered, released: the peer is back with the agent, which says why
 *
 * While it is calling, the peer hears ringback, or music and nothing of a consult, and the agent neither hears nor is heard.
 * With the answer, or the consent of whoever is asked, the node joins the two by itself: audio waits for no workflow. After a
 * consent it leaves them to their own phone system where that offers it (`attended.ts`).
 */
import type { CommandEffect, CommandRefusal, CommandResult } from '../../../contract/commands';
import type { LegDial } from '../../../contract/transfers';
import type { ConsultAnswer, SipLadderEntry } from '../../../contract/events';
import type { Background } from '../../audio/background';
import { TimerSet } from '../../clock';
import type { ReasonHeader } from '../../sip/reason';
import type { AgentPersona, AgentSession } from '../../agent/agent-session';
import type { AgentFactory } from '../agent-factory';
import type { KeyPress, Leg } from '../leg/leg';
import type { SuccessionEvent } from '../replace/peer-refers';
import { AttendedHandover } from './attended';
import { briefingFor } from './briefing';
import { Consult } from './consult';
import { FarLeg, type FarLegOptions, type LegFailure } from './far-leg';
import type { HandedOver } from './handed-over';
import { KeyRelay } from './key-relay';
import { BYE_AFTER_MS, referralOf, referRequest } from './referral';
import { sorry, toKnow } from './sorry';

interface ConsultStep {
  readonly legId: string;
  readonly step: 'answered' | 'asked' | 'accepted' | 'declined' | 'handed_over';
  readonly by: ConsultAnswer | null;
}

interface HandoverDelegate {
  /** The agent cannot take the peer back: it has said its farewell. */
  onAgentGone(): void;
  /** Who has joined is gone, and the call with it. */
  onFarEnd(why: 'hangup' | 'media_timeout' | 'session_expired' | 'error'): void;
  onMessage(message: SipLadderEntry): void;
  /** The peer was referred, has got there, and has not hung up on us. */
  onReferred(): void;
  /** Somebody else is on the further leg. */
  onReplaced(legId: string, by: 'replaces' | 'refer', sipCallId: string): void;
  /** Its peer wants somebody else to be. */
  onSuccession(legId: string, event: SuccessionEvent): void;
  /** A step of a consult. */
  onConsult(step: ConsultStep): void;
}

export interface HandoverOptions extends Omit<
  FarLegOptions,
  'dial' | 'delegate' | 'orgId' | 'handedOver' | 'beside' | 'mayRefer'
> {
  readonly leg: Leg;
  readonly agent: () => AgentSession | null;
  /** Of the agent, for a consult in its voice. */
  readonly persona: () => AgentPersona | null;
  readonly createAgent: AgentFactory;
  readonly handedOver: () => HandedOver;
  readonly orgId: () => string | null;
  /** The call's own peer has asked us to call somebody. */
  readonly peerRefers: () => boolean;
  /** Somebody listens in, who would hear nothing of two that talk without us. */
  readonly supervised: () => boolean;
  /** The peer is away from the agent, or is back. */
  readonly onAway: () => void;
  readonly delegate: HandoverDelegate;
}

type Done = (effect: CommandEffect) => void;

const DONE: CommandEffect = { outcome: 'done' };
/** It was answered, and the caller is not wanted. */
const DECLINED: LegFailure = { outcome: 'declined', sipStatus: 200 };
const CONSULT_FAILED: LegFailure = { outcome: 'failed', sipStatus: 200 };
/** For the dial after a REFER that was refused: then somebody has to talk to the peer. */
const BETWEEN_MS = 15_000;

export class Handover {
  readonly #options: HandoverOptions;
  readonly #timers: TimerSet<'between' | 'bye'>;
  #state: 'none' | 'calling' | 'between' | 'joined' | 'closed' = 'none';
  #far: FarLeg | null = null;
  #consult: Consult | null = null;
  #keys: { readonly fromNear: KeyRelay; readonly fromFar: KeyRelay } | null = null;
  #legId: string | null = null;
  #giveUp: (failure: LegFailure) => void = () => undefined;
  #referral: Promise<void> | null = null;
  readonly #attended: AttendedHandover;

  constructor(options: HandoverOptions) {
    this.#options = options;
    const { leg, clock, delegate } = options;
    this.#timers = new TimerSet(clock);
    this.#attended = new AttendedHandover({
      leg,
      clock,
      onDone: () => {
        if (this.#far) this.#step(this.#far, 'handed_over');
      },
      onStaying: () => delegate.onReferred(),
    });
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

  /** The peer has been asked to go, and we wait for it to hang up. */
  get leaving(): boolean {
    const gone = this.#state === 'joined' && this.#far === null;
    return this.#referral !== null || this.#attended.underWay || gone;
  }

  get joined(): boolean {
    return this.#state === 'joined';
  }

  /** Who has joined has asked us to call somebody. */
  get referUnderWay(): boolean {
    return this.#far?.referUnderWay === true;
  }

  /** Nobody is being called, nor asked to. */
  get mayDial(): boolean {
    return this.#state === 'none' || this.#state === 'between';
  }

  /** Two legs are joined here, of which one can be held for the other. */
  get mayHold(): boolean {
    return this.#state === 'joined' && this.#far !== null && !this.#attended.done;
  }

  /** What a REFER under way comes to is known before this resolves; null without one. */
  get referral(): Promise<void> | null {
    return this.#referral ?? this.#attended.settled;
  }

  /** Taken, where no other is under way. `done` is told when the two are joined, or are not going to be. */
  dial(dial: LegDial, done: Done): void {
    this.#call(dial, done, 'ringback', (far) => {
      this.#join(far);
      done(DONE);
    });
  }

  /** The same, but whoever answers is asked first. */
  consult(dial: LegDial, done: Done): void {
    this.#call(dial, done, 'music', (far, settle) => this.#ask(far, dial, settle, done));
  }

  /** Taken, where nothing else is under way. With `fallback` a peer that will not stays away, for `dial` to come. */
  refer(dial: LegDial, fallback: boolean, done: Done): void {
    const settle = this.#begin(dial, done, 'ringback');
    const referral = this.#refer(dial, fallback, done, settle).finally(() => {
      // One that was given up may end when the next is under way.
      if (this.#referral === referral) this.#referral = null;
    });
    this.#referral = referral;
  }

  /** The word of the call's workflow, on what who has joined has asked for. */
  follow(referId: string, follow: boolean): CommandResult {
    return this.#far?.follow(referId, follow) ?? { ok: false, code: 'ended' };
  }

  /** Of the peer. */
  onDigit(digit: string, press: KeyPress): void {
    this.#keys?.fromNear.onDigit(digit, press);
  }

  /**
   * Either peer holds or resumes, or we do. Whoever waits hears what the holder sends (RFC 3264 §8.4), else music; whom we
   * hold hears music, whatever the other says.
   */
  holdChanged(): void {
    if (this.#state !== 'joined' || this.#far === null) return;
    const near = this.#options.leg;
    const far = this.#far.leg;
    if (!near.rtp || !far.rtp) return;
    if (near.hold.ours) near.rtp.disconnect();
    else near.rtp.connect(far.rtp);
    near.rtp.setBackground(near.hold.ours || far.hold.theirs ? 'music' : null);
    far.rtp.setBackground(near.hold.ours || near.hold.theirs ? 'music' : null);
  }

  /** True when nothing of it is left: it was given up, or is over. A peer that has joined stays. */
  release(legId: string): boolean {
    if (this.#legId !== legId || !this.away) return true;
    if (this.#state === 'joined') return false;
    this.#far?.release();
    this.#giveUp({ outcome: 'canceled', sipStatus: null });
    return true;
  }

  /** The call is over, and so is this. Idempotent. */
  close(why?: ReasonHeader): void {
    this.#state = 'closed';
    this.#timers.clearAll();
    this.#attended.close();
    this.#endConsult();
    this.#keys?.fromNear.close();
    this.#keys?.fromFar.close();
    this.#far?.release(why);
    this.#far = null;
  }

  #call(
    dial: LegDial,
    done: Done,
    meanwhile: Background,
    onAnswered: (far: FarLeg, settle: (failure: LegFailure) => void) => void,
  ): void {
    const { leg, engine, clock, logger, network, orgId, handedOver, delegate } = this.#options;
    const settle = this.#begin(dial, done, meanwhile);
    const far = new FarLeg({
      engine,
      clock,
      logger,
      network,
      orgId: orgId() ?? '',
      beside: leg,
      // Whoever is asked first may hand on no more than the question.
      mayRefer: () => this.#state === 'joined' && !this.#attended.underWay && !this.#options.peerRefers(),
      dial,
      handedOver: handedOver(),
      delegate: {
        onAnswered: () => onAnswered(far, settle),
        onFailed: settle,
        onEnded: (why) => {
          const joined = this.#state === 'joined';
          if (joined && why === 'hangup') this.#attended.farLeft(() => delegate.onFarEnd(why));
          else if (joined) delegate.onFarEnd(why);
          else if (why === 'hangup') this.#declined(far, settle, why);
          else settle(CONSULT_FAILED);
        },
        onDigit: (digit, press) => {
          if (!press.twin) this.#consult?.onDigit(digit);
          this.#keys?.fromFar.onDigit(digit, press);
        },
        onHold: () => this.holdChanged(),
        onPlaybackFinished: (id) => this.#consult?.onPlaybackFinished(id),
        onMessage: (message) => delegate.onMessage(message),
        onReplaced: (by, sipCallId) => delegate.onReplaced(dial.legId, by, sipCallId),
        onSuccession: (event) => delegate.onSuccession(dial.legId, event),
      },
    });
    this.#far = far;
    void far.dial();
  }

  #ask(far: FarLeg, dial: LegDial, settle: (failure: LegFailure) => void, done: Done): void {
    const { clock, logger, createAgent, handedOver } = this.#options;
    const persona = this.#options.persona();
    const failed = (): void => {
      far.release();
      settle(CONSULT_FAILED);
    };
    if (persona === null) return failed();
    this.#step(far, 'answered');
    try {
      this.#consult = new Consult({
        far,
        persona,
        briefing: briefingFor(dial, persona.agentName, handedOver()),
        createAgent,
        clock,
        delegate: {
          onAsked: () => this.#step(far, 'asked'),
          onDecision: (accepted, by) => {
            if (!accepted) return this.#declined(far, settle, by);
            this.#step(far, 'accepted', by);
            this.#join(far);
            done(DONE);
            if (!this.#options.supervised()) this.#attended.begin(far.leg, dial);
          },
          onFailed: failed,
        },
      });
    } catch (error) {
      logger.error({ err: error, legId: far.legId }, 'no agent for a consult');
      failed();
    }
  }

  #declined(far: FarLeg, settle: (failure: LegFailure) => void, by: ConsultAnswer): void {
    this.#step(far, 'declined', by);
    far.release();
    settle(DECLINED);
  }

  #step({ legId }: FarLeg, step: ConsultStep['step'], by: ConsultAnswer | null = null): void {
    this.#options.delegate.onConsult({ legId, step, by });
  }

  /** Answers what is to be called when it fails. */
  #begin(dial: LegDial, done: Done, meanwhile: Background): (failure: LegFailure) => void {
    this.#timers.clearAll();
    this.#state = 'calling';
    this.#legId = dial.legId;
    this.#takeAway(meanwhile);
    this.#giveUp = (failure) => {
      if (!this.away || this.#legId !== dial.legId) return;
      this.#far = null;
      this.#endConsult();
      this.#bringBack(dial, failure);
      done({ outcome: 'failed', sipStatus: failure.sipStatus, legOutcome: failure.outcome });
    };
    return this.#giveUp;
  }

  async #refer(dial: LegDial, fallback: boolean, done: Done, settle: (failure: LegFailure) => void): Promise<void> {
    const { leg } = this.#options;
    const request = leg.dialog && referRequest(dial, leg.dialog);
    const outcome = request && (await leg.dialog?.refer(request, () => undefined).catch(() => null));
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
      done({ outcome: 'failed', sipStatus: failure.sipStatus, legOutcome: failure.outcome, mayDial: true });
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

  #endConsult(): void {
    this.#consult?.close();
    this.#consult = null;
  }

  #takeAway(meanwhile: Background): void {
    const { leg, onAway } = this.#options;
    leg.rtp?.pause(true);
    leg.rtp?.listen(false);
    leg.rtp?.setBackground(meanwhile);
    onAway();
  }

  #bringBack(dial: LegDial, { outcome }: LegFailure): void {
    if (this.#state !== 'calling' && this.#state !== 'between') return;
    this.#timers.clearAll();
    this.#state = 'none';
    const { leg, delegate, onAway, agent: agentOf } = this.#options;
    leg.rtp?.setBackground(null);
    leg.rtp?.listen(true);
    leg.rtp?.pause(false);
    onAway();
    const agent = agentOf();
    if (!agent?.mayBeTold) return;
    agent.instruct(toKnow(dial.name, outcome));
    // What it was saying when the peer left is no more to the point.
    const refused = agent.say(sorry(dial.name, outcome), { interrupt: true, onOutcome: () => undefined });
    if (refused === 'ended') delegate.onAgentGone();
  }

  #join(far: FarLeg): void {
    this.#state = 'joined';
    this.#endConsult();
    const { leg, agent, clock } = this.#options;
    if (!leg.rtp || !far.leg.rtp) return;
    this.#keys = { fromNear: new KeyRelay(leg, far.leg, clock), fromFar: new KeyRelay(far.leg, leg, clock) };
    // Nobody listens to the two.
    far.leg.rtp.listen(false);
    this.holdChanged();
    // The transcript gets its last words; what it had left to say is dropped, not heard.
    const left = agent()?.finish() ?? Promise.resolve();
    void left.catch(() => undefined).then(() => leg.rtp?.pause(false));
  }
}
