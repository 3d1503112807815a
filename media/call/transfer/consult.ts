/**
 * The talk with somebody who was called for a caller, before they are joined: an agent of its own on their leg tells them
 * who is there, and asks. Owned by the handover, which joins or releases the leg.
 */
import type { ConsultAnswer } from '../../../contract/events';
import type { AgentPersona, AgentSession } from '../../agent/agent-session';
import { TimerSet, type Clock } from '../../clock';
import type { AgentFactory } from '../agent-factory';
import type { FarLeg } from './far-leg';

interface ConsultDelegate {
  onAsked(): void;
  onDecision(accepted: boolean, by: ConsultAnswer): void;
  /** There is no voice to ask by. */
  onFailed(): void;
}

export interface ConsultOptions {
  readonly far: FarLeg;
  /** Of the call's agent. */
  readonly persona: AgentPersona;
  readonly briefing: string;
  readonly createAgent: AgentFactory;
  readonly clock: Clock;
  readonly delegate: ConsultDelegate;
}

/** Whoever puts us on hold hears no question, and answers none. */
const LONGEST_MS = 140_000;

export class Consult {
  readonly #timers: TimerSet<'longest'>;
  readonly #agent: AgentSession | null;
  #over = false;

  constructor({ far, persona, briefing, createAgent, clock, delegate }: ConsultOptions) {
    this.#timers = new TimerSet(clock);
    const { rtp } = far.leg;
    const once = (tell: () => void): void => {
      if (this.#over) return;
      this.close();
      tell();
    };
    this.#agent =
      rtp &&
      createAgent({ ...persona, consult: { briefing } }, rtp, {
        onTurn: () => undefined,
        onTransfer: () => false,
        onEnd: () => once(() => delegate.onFailed()),
        onAsked: () => delegate.onAsked(),
        onDecision: (accepted, by) => once(() => delegate.onDecision(accepted, by)),
      });
    this.#timers.arm('longest', LONGEST_MS, () => once(() => delegate.onDecision(false, 'silence')));
    this.#agent?.start();
  }

  onDigit(digit: string): void {
    if (!this.#over) this.#agent?.onDtmf(digit);
  }

  onPlaybackFinished(playbackId: number): void {
    if (!this.#over) this.#agent?.onPlaybackFinished(playbackId);
  }

  /** Nothing is said or heard any more. Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.clearAll();
    void this.#agent?.finish().catch(() => undefined); // what is left unsaid goes with the leg
  }
}
