/**
 * What both directions of a call share: its lifecycle, its media, and the handlers that do not care who called whom. The
 * direction (`InboundCall`, `OutboundCall`) sets up the dialog of the leg and says how to hang up.
 */
import type { Logger } from 'pino';
import type { CallDirection } from '../../contract/call';
import type { ConversationControl, CommandEffect, CommandResult } from '../../contract/commands';
import type { AudioCodec, DtmfMode } from '../../contract/directory';
import type { EndedBy, EndReason, SipOutcome } from '../../contract/endings';
import type { SipLadderEntry, CallEvents } from '../../contract/events';
import type { Clock } from '../clock';
import type { RtpEngine } from '../rtp/rtp-session';
import type { RefreshFailure } from '../sip/dialog';
import type { ReasonHeader } from '../sip/reason';
import { CallLifecycle } from './call-lifecycle';
import { CallMedia, type AgentFactory } from './call-media';
import type { CallObserver } from './call-observer';
import type { HoldState, Leg } from './leg/leg';
import type { LocalMedia } from './leg/leg-negotiation';
import type { WhisperListener } from './supervision/supervision';
import type { LegNetwork } from './transfer/far-leg';

/** A peer that floods its dialog fills no table: what a person would read, and then one note. */
const MAX_LADDER_EVENTS = 500;
/** Nor one that holds and resumes without end: what it does is on the ladder. */
const MAX_HOLDS_OF_THE_PEER = 200;

export interface CallDeps {
  readonly clock: Clock;
  readonly events: CallEvents;
  readonly rtp: RtpEngine;
  readonly createAgent: AgentFactory;
  /** For what a supervisor whispers. Without one nothing can be understood. */
  readonly listen?: WhisperListener | null;
  readonly observer: CallObserver;
  readonly logger: Logger;
  /** For further legs. */
  readonly network: LegNetwork;
}

export interface CallSessionOptions {
  readonly direction: CallDirection;
  readonly sipCallId: string;
  readonly deps: CallDeps;
  /** Of its trunk, best first; default, and null: all. */
  readonly codecs?: readonly AudioCodec[] | null | undefined;
  /** Of its trunk; default auto. */
  readonly dtmfMode?: DtmfMode | undefined;
  readonly localMedia: () => LocalMedia;
  readonly hangUp: (endReason: EndReason, endedBy: EndedBy) => void;
  readonly onEnded: () => void;
}

export class CallSession {
  readonly lifecycle: CallLifecycle;
  readonly media: CallMedia;
  readonly #options: CallSessionOptions;
  #ladderEvents = 0;
  #hold: HoldState = { ours: false, theirs: false };
  #holdsOfPeer = 0;
  #quiet = false;
  #looking = false;

  constructor(options: CallSessionOptions) {
    this.#options = options;
    const { direction, deps, sipCallId } = options;
    this.media = this.#createMedia();
    this.lifecycle = new CallLifecycle({
      direction,
      clock: deps.clock,
      events: deps.events,
      observer: deps.observer,
      logger: deps.logger.child({ sipCallId }),
      closeMedia: () => this.media.close(),
      turnLatencyMs: () => this.media.turnLatencyMs(),
      onEnded: options.onEnded,
    });
  }

  get leg(): Leg {
    return this.media.leg;
  }

  onMessage(message: SipLadderEntry): void {
    const { events } = this.lifecycle;
    this.#ladderEvents++;
    if (this.#ladderEvents <= MAX_LADDER_EVENTS) events.report({ type: 'sip', entry: { ...message } });
    else if (this.#ladderEvents === MAX_LADDER_EVENTS + 1) events.report({ type: 'note', note: 'ladder_full' });
  }

  /** The 200 has been sent or its ACK has: from here the call counts as answered and lasts at most that long. */
  answered(maxDurationSeconds: number): void {
    const { lifecycle } = this;
    lifecycle.enter('answered');
    lifecycle.timings.mark('answered', this.#options.deps.clock.now());
    lifecycle.events.report({
      type: 'answered',
      sipCallId: this.#options.sipCallId,
      postDialDelayMs: lifecycle.timings.postDialDelayMs(),
    });
    lifecycle.timers.arm('max_duration', maxDurationSeconds * 1000, () =>
      this.#options.hangUp('max_duration', 'system'),
    );
  }

  ringing(status: number): void {
    if (this.lifecycle.state !== 'setup') return;
    this.lifecycle.enter('ringing');
    this.lifecycle.timings.mark('ringing', this.#options.deps.clock.now());
    this.lifecycle.events.report({ type: 'ringing', status });
  }

  /** What an answered call is told; what comes of it is an event. */
  control(commandId: string, control: ConversationControl): CommandResult {
    const { state, events } = this.lifecycle;
    if (state === 'ending' || state === 'ended') return { ok: false, code: 'ended' };
    if (state !== 'answered') return { ok: false, code: 'not_answered' };
    const done = (effect: CommandEffect): void => {
      // With the call everything that it was told ends; its last event is its end.
      if (this.lifecycle.isLive) events.report({ type: 'command', commandId, verb: control.type, ...effect });
    };
    return this.media.control(control, done);
  }

  /** The session timer found nobody at the other end. */
  expired(why: RefreshFailure): void {
    this.lifecycle.events.report({ type: 'note', note: `session_${why}` });
    this.#options.hangUp('session_expired', 'system');
  }

  /** The peer is gone: what its REFER under way comes to is told before the end of the call. */
  afterReferral(end: () => void): void {
    const { referral } = this.media.handover;
    if (referral === null) end();
    else void referral.then(end);
  }

  /** Whoever hangs up on somebody else than the agent ends a call that was handed over. */
  byeReason(otherwise: 'caller_hangup' | 'callee_hangup'): EndReason {
    return this.media.handover.joined ? 'transferred' : otherwise;
  }

  outcome(finalStatus: number | null, reason: string | null, peerReason: ReasonHeader | null = null): SipOutcome {
    const q850 = peerReason?.protocol === 'Q.850' ? peerReason.cause : null;
    return { sipCallId: this.#options.sipCallId, finalStatus, reason, q850 };
  }

  /** Its packets have stopped: a peer that does not answer in its dialog either is gone. */
  async #lookForPeer(quiet: boolean): Promise<void> {
    this.#quiet = quiet;
    if (!quiet || this.#looking || this.lifecycle.state !== 'answered') return;
    this.#looking = true;
    const life = await this.leg.probe();
    this.#looking = false;
    const gone = life === 'gone' && this.#quiet && this.lifecycle.state === 'answered';
    if (gone) this.#options.hangUp('media_timeout', 'system');
  }

  #holdChanged({ ours, theirs }: HoldState): void {
    const before = this.#hold;
    if (theirs && !before.theirs) this.#holdsOfPeer++;
    const hold = { ours, theirs: theirs && this.#holdsOfPeer <= MAX_HOLDS_OF_THE_PEER };
    if (hold.ours === before.ours && hold.theirs === before.theirs) return;
    this.#hold = hold;
    this.lifecycle.events.report({ type: 'hold', ...hold });
  }

  #deaf(packetsForeign: number): void {
    const { logger, events } = this.lifecycle;
    events.report({ type: 'warning', warning: 'only_foreign_packets', packetsForeign, packetsReceived: 0 });
    logger.warn({ packetsForeign, packetsReceived: 0 }, 'only packets of others come: wrong address in SDP?');
  }

  #createMedia(): CallMedia {
    const { deps, codecs, dtmfMode, localMedia, hangUp } = this.#options;
    return new CallMedia({
      engine: deps.rtp,
      codecs,
      dtmfMode,
      localMedia,
      createAgent: deps.createAgent,
      listen: deps.listen ?? null,
      clock: deps.clock,
      network: deps.network,
      logger: deps.logger,
      orgId: () => this.lifecycle.orgId,
      delegate: {
        onAgentGone: () => hangUp('agent_goodbye', 'agent'),
        onReferred: () => hangUp('transferred', 'agent'),
        onFarEnd: (why) => (why === 'hangup' ? hangUp('transferred', 'callee') : hangUp(why, 'system')),
        onMessage: (message) => this.onMessage(message),
        onSupervision: (event) => this.lifecycle.events.report(event),
        onTurn: (turn) => this.lifecycle.events.report({ type: 'turn', turn }),
        onTurnLatency: (ms) => deps.observer.turnLatency(ms),
        onHold: (hold) => this.#holdChanged(hold),
        onDtmf: (count) => this.lifecycle.events.report({ type: 'dtmf', count }),
        onAgentEnd: (reason) => hangUp(reason, reason === 'agent_goodbye' ? 'agent' : 'system'),
        // Before the answer nobody owes us packets.
        onMediaTimeout: () => {
          if (this.lifecycle.state === 'answered') hangUp('media_timeout', 'system');
        },
        onMediaQuiet: (quiet) => void this.#lookForPeer(quiet),
        onDeaf: (packetsForeign) => this.#deaf(packetsForeign),
        onFailure: () => hangUp('error', 'system'),
        onFirstPacketSent: (at) => this.lifecycle.timings.mark('first_sent', at),
        onFirstPacketReceived: (at) => this.lifecycle.timings.mark('first_received', at),
      },
    });
  }
}
