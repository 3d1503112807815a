/**
 * Who listens in on a call. It owns the supervisor's leg: one at a time, none longer than the call, which goes on without it.
 *
 *   none ──supervise()──► calling ──answered──► joined ──┐
 *     ▲                      └──────────────────┴────────┘   not answered, BYE, sent away, media lost
 *
 * Asked for once more with the same target it changes the mode, and where that is being called the answer is waited for
 * together. What a supervisor whispers while no far end is joined is understood and told to the agent.
 */
import type { CommandEffect, CommandRefusal, CommandResult } from '../../../contract/commands';
import type { SipLadderEntry } from '../../../contract/events';
import type { SuperviseMode, SupervisionEnd, WhisperOutcome } from '../../../contract/supervision';
import type { LegDial } from '../../../contract/transfers';
import type { AgentSession } from '../../agent/agent-session';
import type { ReasonHeader } from '../../sip/reason';
import type { Leg } from '../leg/leg';
import { FarLeg, type FarLegOptions, type LegFailure } from '../transfer/far-leg';

/** Understands what is said in the session `mediaId`, until it is closed; null: something that was not understood. */
export type WhisperListener = (
  mediaId: number,
  onSaid: (text: string | null) => void,
) => { readonly close: () => void };

export type SupervisorEvent =
  | { readonly type: 'supervisor_joined' | 'supervisor_mode_changed'; readonly mode: SuperviseMode }
  | { readonly type: 'supervisor_left'; readonly mode: SuperviseMode; readonly why: SupervisionEnd }
  | { readonly type: 'supervisor_whispered'; readonly outcome: WhisperOutcome };

interface SupervisionDelegate {
  onEvent(event: SupervisorEvent & { readonly legId: string }): void;
  onMessage(message: SipLadderEntry): void;
}

export interface SupervisionOptions extends Omit<
  FarLegOptions,
  'dial' | 'delegate' | 'orgId' | 'handedOver' | 'beside' | 'mayRefer'
> {
  readonly leg: Leg;
  readonly agent: () => AgentSession | null;
  /** The agent has left the peer to somebody else, who hears what is whispered. */
  readonly joined: () => boolean;
  readonly orgId: () => string | null;
  /** Null where nothing can be understood. */
  readonly listen: WhisperListener | null;
  readonly delegate: SupervisionDelegate;
}

type Done = (effect: CommandEffect) => void;

const OK: CommandResult = { ok: true };
const DONE: CommandEffect = { outcome: 'done' };

export class Supervision {
  readonly #options: SupervisionOptions;
  #state: 'none' | 'calling' | 'joined' | 'closed' = 'none';
  #far: FarLeg | null = null;
  #target = '';
  #mode: SuperviseMode = 'listen';
  #waiting: Done[] = [];
  #ear: { readonly close: () => void } | null = null;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  /** Somebody listens in, or is called to. */
  get underWay(): boolean {
    return this.#state === 'calling' || this.#state === 'joined';
  }

  /** `done` is told when whoever is called has answered, or is not going to. */
  supervise(dial: LegDial, mode: SuperviseMode, done: Done): CommandResult {
    const target = JSON.stringify(dial.target);
    const idle = this.#state === 'none';
    if (!idle && target !== this.#target) return refused('supervised');
    const unheard = this.#whyUnheard(mode);
    if (unheard !== null) return refused(unheard);
    if (this.#state === 'joined') {
      this.#change(mode);
      done(DONE);
      return OK;
    }
    this.#mode = mode;
    this.#waiting.push(done);
    if (idle) this.#call(dial, target);
    return OK;
  }

  /** Sends away whoever is there, or is called. */
  end(done: Done): CommandResult {
    if (!this.underWay) return refused('not_supervised');
    this.#far?.release();
    if (this.#state === 'joined') this.#left('sent_away');
    else this.#failed({ outcome: 'canceled', sipStatus: null });
    done(DONE);
    return OK;
  }

  /** The call is over, and so is this. Idempotent. */
  close(why?: ReasonHeader): void {
    this.#far?.release(why);
    this.#left('call_ended');
    this.#state = 'closed';
    this.#far = null;
    this.#waiting = [];
  }

  /** Why nobody would hear what is whispered. */
  #whyUnheard(mode: SuperviseMode): CommandRefusal | null {
    const { agent, joined, listen } = this.#options;
    if (mode !== 'whisper' || joined()) return null;
    if (agent()?.mayBeTold !== true) return 'no_agent';
    return listen === null ? 'no_recognition' : null;
  }

  #call(dial: LegDial, target: string): void {
    const { leg, engine, clock, logger, network, orgId, delegate } = this.#options;
    this.#state = 'calling';
    this.#target = target;
    this.#far = new FarLeg({
      engine,
      clock,
      logger,
      network,
      orgId: orgId() ?? '',
      beside: leg,
      mayRefer: null,
      dial,
      handedOver: null,
      delegate: {
        onAnswered: () => this.#join(),
        // Keys of a supervisor are nobody's.
        onDigit: () => undefined,
        onHold: () => undefined,
        onPlaybackFinished: () => undefined,
        onReplaced: () => undefined,
        onSuccession: () => undefined,
        onFailed: (failure) => this.#failed(failure),
        onEnded: (why) => this.#left(why),
        onMessage: (message) => delegate.onMessage(message),
      },
    });
    void this.#far.dial();
  }

  #join(): void {
    this.#state = 'joined';
    this.#tap();
    this.#tell({ type: 'supervisor_joined', mode: this.#mode });
    for (const done of this.#waiting.splice(0)) done(DONE);
  }

  #change(mode: SuperviseMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#tap();
    this.#tell({ type: 'supervisor_mode_changed', mode });
  }

  #tap(): void {
    const { leg, listen, joined } = this.#options;
    const own = this.#far?.leg.rtp;
    if (!own || !leg.rtp) return;
    own.supervise(leg.rtp, this.#mode);
    this.#stopListening();
    if (this.#mode === 'whisper' && !joined()) {
      this.#ear = listen?.(own.mediaId, (text) => this.#whispered(text)) ?? null;
    }
  }

  #whispered(text: string | null): void {
    const { agent, joined } = this.#options;
    // Heard by whom the peer was handed over to, and needs no words.
    if (joined()) return this.#stopListening();
    if (text === null) this.#tell({ type: 'supervisor_whispered', outcome: 'not_understood' });
    else {
      const taken = agent()?.instruct(text) === true;
      this.#tell({ type: 'supervisor_whispered', outcome: taken ? 'instructed' : 'too_many' });
    }
  }

  #failed({ outcome, sipStatus }: LegFailure): void {
    if (this.#state !== 'calling') return;
    this.#state = 'none';
    this.#far = null;
    for (const done of this.#waiting.splice(0)) done({ outcome: 'failed', sipStatus, legOutcome: outcome });
  }

  #left(why: SupervisionEnd): void {
    if (this.#state !== 'joined') return;
    this.#tell({ type: 'supervisor_left', mode: this.#mode, why });
    this.#state = 'none';
    this.#far = null;
    this.#stopListening();
  }

  #stopListening(): void {
    this.#ear?.close();
    this.#ear = null;
  }

  #tell(event: SupervisorEvent): void {
    const legId = this.#far?.legId;
    if (legId !== undefined) this.#options.delegate.onEvent({ ...event, legId });
  }
}

const refused = (code: CommandRefusal): CommandResult => ({ ok: false, code });
