/**
 * The states of one call, shared by both directions, and its ending.
 *
 *   setup ──► ringing ──► answered ──► ending ──► ended
 *     └──────────┴────────────────────────┘
 *
 * `end` (the first cause wins) moves to `ending`: timers are cleared, the media closes, the signalling is hung up.
 * `settle` says how it ended. When that is known, the last statistics are in (or late) and the last SIP message was
 * seen (or late), the one `ended` event goes out as the call's last and the state is `ended`. Nothing that throws or
 * stays out on this way keeps the call: after `ENDING_LIMIT_MS` it is ended with what is known of it.
 */
import type { Logger } from 'pino';
import type { CallDirection } from '../../contract/call';
import type { CallEnding, CallMetrics } from '../../contract/endings';
import type { CallEvents } from '../../contract/events';
import { TimerSet, type Clock } from '../clock';
import type { RtpStats } from '../rtp/rtp-session';
import { CallEventLog } from './call-events';
import type { CallObserver } from './call-observer';
import { CallTimings } from './call-timings';

/** For the agent's last words to be written down (500 ms) and the RTP thread's figures; a stuck one holds nothing up. */
const STATS_DEADLINE_MS = 800;
/** How long the ladder may wait for the answer to our BYE. */
const TRAILING_MESSAGE_MS = 300;
/** Longer than any ending takes: the answer to our CANCEL is waited for longest. */
const ENDING_LIMIT_MS = 10_000;

export type LiveState = 'setup' | 'ringing' | 'answered';
export type LifecycleState = LiveState | 'ending' | 'ended';

const MOVES: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  setup: ['ringing', 'answered', 'ending', 'ended'],
  ringing: ['answered', 'ending'],
  answered: ['ending'],
  ending: ['ended'],
  ended: [],
};

export type CallTimer = 'start' | 'dial' | 'ring' | 'cancel' | 'max_duration' | 'stats' | 'trailing' | 'ending';

export interface LifecycleOptions {
  readonly direction: CallDirection;
  readonly sipCallId: string;
  readonly clock: Clock;
  readonly events: CallEvents;
  readonly observer: CallObserver;
  readonly logger: Logger;
  /** Closes RTP and agent; called once, on leaving the live states. */
  readonly closeMedia: () => Promise<RtpStats | null>;
  /** Of the agent. */
  readonly figures: () => Pick<CallMetrics, 'turnLatencyMs' | 'openingSilenceMs'>;
  readonly onEnded: () => void;
}

export class CallLifecycle {
  readonly timers: TimerSet<CallTimer>;
  readonly timings: CallTimings;
  readonly events: CallEventLog;
  readonly #options: LifecycleOptions;
  #state: LifecycleState = 'setup';
  #liveState: LiveState = 'setup';
  #callId: string | null = null;
  #orgId: string | null = null;
  /** Made when something is logged that is not logged of every call. */
  #logger: Logger | null = null;
  #ending: CallEnding | null = null;
  #stats: RtpStats | null = null;
  #statsDone = false;
  #trailingDone = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.timers = new TimerSet(options.clock);
    this.timings = new CallTimings(options.direction);
    this.events = new CallEventLog(options.events, options.clock);
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** The last state in which the call lived. */
  get liveState(): LiveState {
    return this.#liveState;
  }

  get isLive(): boolean {
    return this.#state === this.#liveState;
  }

  get callId(): string | null {
    return this.#callId;
  }

  get orgId(): string | null {
    return this.#orgId;
  }

  get logger(): Logger {
    this.#logger ??= this.#options.logger.child(this.#names);
    return this.#logger;
  }

  /** The call exists from here: waiting events go out, an ending that waited for it completes. */
  identify(callId: string, orgId: string): void {
    this.#callId = callId;
    this.#orgId = orgId;
    this.#logger = null;
    this.events.bind(callId, orgId);
    this.#options.observer.callBegan(this.#options.direction);
    this.#completeWhenKnown();
  }

  /** The call never came into being: no event of it is reported. */
  discard(): void {
    if (this.#state === 'ended') return;
    this.events.discard();
    if (this.isLive) void this.#options.closeMedia().catch(() => undefined); // nobody asks for its statistics
    this.#transition('ended');
  }

  enter(next: 'ringing' | 'answered'): void {
    this.#transition(next);
    this.#liveState = next;
  }

  /** False when another cause was first. `hangUp` runs once the state is `ending`. */
  end(hangUp: () => void): boolean {
    if (!this.isLive) return false;
    this.#transition('ending');
    try {
      hangUp();
    } catch (error) {
      // The peer may not know of it; here the call is over, and its ending is what the caller of this says.
      this.logger.error({ err: error }, 'a call could not be hung up');
    }
    return true;
  }

  /** How the call ended; only the first word counts. */
  settle(ending: CallEnding): void {
    if (this.#state !== 'ending' || this.#ending) return;
    this.#ending = ending;
    this.timers.clear('cancel');
    if (!this.#trailingDone) this.timers.arm('trailing', TRAILING_MESSAGE_MS, () => this.sawLastMessage());
    this.#completeWhenKnown();
  }

  /** The dialog is closed: nothing more comes on the ladder. */
  sawLastMessage(): void {
    if (this.#state !== 'ending' || this.#trailingDone) return;
    this.#trailingDone = true;
    this.timers.clear('trailing');
    this.#completeWhenKnown();
  }

  /** In its log lines. */
  get #names(): { readonly sipCallId: string; readonly callId?: string } {
    const { sipCallId } = this.#options;
    return this.#callId === null ? { sipCallId } : { sipCallId, callId: this.#callId };
  }

  #transition(next: LifecycleState): void {
    if (!MOVES[this.#state].includes(next)) throw new Error(`a call cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    switch (next) {
      case 'setup':
      case 'ringing':
        break;
      case 'answered':
        this.timers.clear('ring');
        break;
      case 'ending':
        this.timers.clearAll();
        this.timers.arm('ending', ENDING_LIMIT_MS, () => this.#giveUp());
        this.timings.mark('ended', this.#options.clock.now());
        this.#collectStats();
        break;
      case 'ended':
        this.timers.clearAll();
        this.#options.onEnded();
        break;
    }
  }

  #collectStats(): void {
    const done = (stats: RtpStats | null): void => {
      if (this.#statsDone) return;
      this.#statsDone = true;
      this.#stats = stats;
      this.timers.clear('stats');
      this.#completeWhenKnown();
    };
    this.timers.arm('stats', STATS_DEADLINE_MS, () => done(null));
    this.#options.closeMedia().then(done, () => done(null));
  }

  #completeWhenKnown(): void {
    const ending = this.#ending;
    if (this.#state !== 'ending' || !ending || !this.#statsDone || !this.#trailingDone || !this.#callId) return;
    try {
      this.#reportEnd(ending);
    } catch (error) {
      this.logger.error({ err: error }, 'the end of a call could not be reported');
    }
    this.#transition('ended');
  }

  #reportEnd(ending: CallEnding): void {
    const stats = this.#stats;
    const timings = this.timings.snapshot();
    if (stats && this.#liveState === 'answered') this.events.report({ type: 'media_stats', stats: { ...stats } });
    this.events.report({ type: 'timings', timings });
    this.events.report({ type: 'ended', ending, metrics: this.#metrics(stats) });
    const { direction, observer, logger } = this.#options;
    const { disposition, endReason, endedBy, sip } = ending;
    logger.info(
      { ...this.#names, direction, disposition, endReason, endedBy, finalStatus: sip?.finalStatus ?? null, ...timings },
      'call ended',
    );
    observer.callEnded({ direction, disposition, endReason, timings, stats });
  }

  /**
   * Something was forgotten on the way to the end, or threw: the node must not keep the call for it. Only whether its
   * workflow was started is waited for; that has a limit of its own.
   */
  #giveUp(): void {
    const missing = { ending: this.#ending === null, stats: !this.#statsDone, lastMessage: !this.#trailingDone };
    if (this.#callId !== null) this.logger.error({ missing }, 'a call did not come to its end');
    const disposition = this.#liveState === 'answered' ? 'answered' : 'failed';
    this.#ending ??= { disposition, endReason: 'error', endedBy: 'system', sip: null };
    this.#statsDone = true;
    this.#trailingDone = true;
    this.#completeWhenKnown();
  }

  #metrics(stats: RtpStats | null): CallMetrics {
    const expected = stats ? stats.packetsReceived + stats.packetsLost : 0;
    return {
      postDialDelayMs: this.timings.postDialDelayMs(),
      mos: stats?.mos ?? null,
      packetLossPct: stats && expected > 0 ? (100 * stats.packetsLost) / expected : null,
      jitterMs: stats && expected > 0 ? stats.jitterMs : null,
      ...this.#options.figures(),
    };
  }
}
