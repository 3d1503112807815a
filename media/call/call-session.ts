/**
 * What both directions of a call share: its lifecycle, its media, and the handlers that do not care who called whom. The
 * direction (`InboundCall`, `OutboundCall`) sets up the dialog of the leg and says how to hang up.
 */
import type { Logger } from 'pino';
import type { CallDirection } from '../../contract/call';
import type { ConversationControl, CommandEffect, CommandResult } from '../../contract/commands';
import type { AudioCodec } from '../../contract/audio-codecs';
import type { DtmfMode } from '../../contract/directory';
import type { EndedBy, EndReason, SipOutcome } from '../../contract/endings';
import type { CallEvents, OptOutWay, SipLadderEntry } from '../../contract/events';
import type { Clock } from '../clock';
import type { RtpEngine, RtpRemote } from '../rtp/rtp-session';
import type { DialogDelegate, RefreshFailure } from '../sip/dialog';
import type { ReasonHeader } from '../sip/reason';
import { CallLifecycle } from './call-lifecycle';
import type { AgentFactory } from './agent-factory';
import { CallMedia } from './call-media';
import type { CallObserver } from './call-observer';
import type { HoldState, Leg } from './leg/leg';
import type { LocalMedia } from './leg/leg-negotiation';
import { PeerWatch } from './leg/peer-watch';
import type { ReferringPeer } from './replace/refer-target';
import { Succession } from './replace/succession';
import type { WhisperListener } from './supervision/supervision';
import type { LegNetwork } from './transfer/far-leg';
import type { HandedOver } from './transfer/handed-over';

/** A peer that floods its dialog fills no table: what a person would read, and then one note. */
const MAX_LADDER_EVENTS = 500;
/** Nor one that holds and resumes without end: what it does is on the ladder. */
const MAX_HOLDS_OF_THE_PEER = 200;
/** Whoever wants no more calls waits this long in silence at most. */
const OPT_OUT_STORED_MS = 1_500;

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
  /** Of the call. */
  readonly trunkId: string;
  /** What the direction makes of its peer's doing, whichever dialog that has. */
  readonly peer: {
    hungUp(reason: ReasonHeader | null): void;
    /** Its dialog is closed, for whatever reason. */
    gone(): void;
    /** Another phone than the one that rings has answered. */
    pickedUp(): void;
  };
  /** The other side of the call. */
  readonly handedOver: () => HandedOver;
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
  /** The peer has hung up on us, and what has become of our REFER is waited for. */
  #peerGone = false;
  readonly #succession: Succession;
  readonly #watch = new PeerWatch({
    leg: () => this.leg,
    isUp: () => this.lifecycle.state === 'answered' && !this.#succession.vacant,
    onGone: () => this.#options.hangUp('media_timeout', 'system'),
  });

  constructor(options: CallSessionOptions) {
    this.#options = options;
    const { direction, deps, sipCallId } = options;
    this.media = this.#createMedia();
    this.#succession = new Succession({
      leg: this.leg,
      clock: deps.clock,
      network: deps.network,
      trunkId: options.trunkId,
      codecs: options.codecs,
      orgId: () => this.lifecycle.orgId,
      revoked: () => options.hangUp('api_hangup', 'api'),
      isLive: () => this.lifecycle.isLive,
      busy: {
        // Whom we have asked to go is not to be followed by somebody else.
        toReplace: () => this.media.handover.leaving,
        toRefer: () => {
          const { leaving, refusal, referUnderWay } = this.media.handover;
          return leaving || referUnderWay || refusal === 'transferring';
        },
      },
      delegateOf: (id) => this.#dialogDelegate(id),
      report: (event) => this.lifecycle.events.report(event),
      onTaken: (by, id, remote) => this.#replaced(by, id, remote),
    });
    this.lifecycle = new CallLifecycle({
      direction,
      clock: deps.clock,
      events: deps.events,
      observer: deps.observer,
      sipCallId,
      logger: deps.logger,
      closeMedia: () => {
        this.#succession.close();
        return this.media.close();
      },
      figures: () => this.media.figures(),
      onEnded: () => {
        this.#succession.leaveTrunk();
        options.onEnded();
      },
    });
  }

  get leg(): Leg {
    return this.media.leg;
  }

  /**
   * What the first dialog of the leg tells, beside what is the leg's own business.
   * @param peerOf who may refer us to somebody else; null: nobody whom we know
   */
  peerDelegate(peerOf: (() => ReferringPeer) | null): DialogDelegate {
    return Object.assign(this.#dialogDelegate(null), this.#succession.delegate(peerOf));
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
    if (state === 'ending' || state === 'ended' || this.#peerGone) return { ok: false, code: 'ended' };
    if (state !== 'answered') return { ok: false, code: 'not_answered' };
    if (control.type === 'followRefer') return this.#follow(control.referId, control.follow);
    const handsOver = control.type === 'dialLeg' || control.type === 'consultLeg' || control.type === 'refer';
    if (handsOver && this.#succession.referUnderWay) return { ok: false, code: 'transferring' };
    const done = (effect: CommandEffect): void => {
      // With the call everything that it was told ends, but for the REFER by which it does; its last event is its end.
      const over = !this.lifecycle.isLive || (this.#peerGone && control.type !== 'refer');
      if (!over) events.report({ type: 'command', commandId, verb: control.type, ...effect });
    };
    return this.media.control(commandId, control, done);
  }

  /** The session timer found nobody at the other end. */
  expired(why: RefreshFailure): void {
    this.lifecycle.events.report({ type: 'note', note: `session_${why}` });
    this.#options.hangUp('session_expired', 'system');
  }

  /**
   * The peer is gone: what a REFER under way comes to is told before the end of the call, and where it was the peer's own,
   * somebody may be about to take its place.
   */
  peerLeft(end: () => void): void {
    const { referral } = this.media.handover;
    if (referral === null) this.#succession.peerLeft(end);
    else {
      this.#peerGone = true;
      void referral.then(end);
    }
  }

  /** Whoever hangs up on somebody else than the agent ends a call that was handed over. */
  byeReason(otherwise: 'caller_hangup' | 'callee_hangup'): EndReason {
    return this.media.handover.joined ? 'transferred' : otherwise;
  }

  outcome(finalStatus: number | null, reason: string | null, peerReason: ReasonHeader | null = null): SipOutcome {
    const q850 = peerReason?.protocol === 'Q.850' ? peerReason.cause : null;
    return { sipCallId: this.#options.sipCallId, finalStatus, reason, q850 };
  }

  /** Of either peer of a call that was handed over. */
  #follow(referId: string, follow: boolean): CommandResult {
    const taken = this.#succession.follow(referId, follow);
    return taken.ok ? taken : this.media.handover.follow(referId, follow);
  }

  /** `sipCallId`: of one that is not the first. */
  #dialogDelegate(sipCallId: string | null): DialogDelegate {
    const { peer } = this.#options;
    return {
      onMessage: (message) => this.onMessage(sipCallId === null ? message : { ...message, leg: sipCallId }),
      onAck: (answer) => this.leg.reofferAnswered(answer),
      onBye: (reason) => this.peerLeft(() => peer.hungUp(reason)),
      onExpired: (why) => this.expired(why),
      onClosed: () => this.peerLeft(() => peer.gone()),
    };
  }

  /** The agent, or whoever has been joined, goes on with who has come. */
  #replaced(by: 'replaces' | 'refer', sipCallId: string, remote: RtpRemote): void {
    this.lifecycle.events.report({ type: 'leg_replaced', by, sipCallId });
    if (this.lifecycle.state === 'answered') this.leg.start(remote);
    else {
      this.#options.peer.pickedUp();
      this.media.start(remote);
    }
  }

  #holdChanged({ ours, theirs }: HoldState): void {
    const before = this.#hold;
    if (theirs && !before.theirs) this.#holdsOfPeer++;
    const hold = { ours, theirs: theirs && this.#holdsOfPeer <= MAX_HOLDS_OF_THE_PEER };
    if (hold.ours === before.ours && hold.theirs === before.theirs) return;
    this.#hold = hold;
    this.lifecycle.events.report({ type: 'hold', ...hold });
  }

  /** With the event the number is on the list; while PostgreSQL is away the event waits, and so does that. */
  async #optedOut(by: OptOutWay): Promise<boolean> {
    const { events, callId } = this.lifecycle;
    events.report({ type: 'opted_out', by });
    return callId !== null && (await this.#options.deps.events.flush(callId, OPT_OUT_STORED_MS));
  }

  #deaf(packetsForeign: number): void {
    const { logger, events } = this.lifecycle;
    events.report({ type: 'warning', warning: 'only_foreign_packets', packetsForeign, packetsReceived: 0 });
    logger.warn({ packetsForeign, packetsReceived: 0 }, 'only packets of others come: wrong address in SDP?');
  }

  #createMedia(): CallMedia {
    const { deps, codecs, dtmfMode, localMedia, handedOver, hangUp } = this.#options;
    return new CallMedia({
      engine: deps.rtp,
      codecs,
      dtmfMode,
      localMedia,
      handedOver,
      createAgent: deps.createAgent,
      listen: deps.listen ?? null,
      clock: deps.clock,
      network: deps.network,
      logger: deps.logger,
      orgId: () => this.lifecycle.orgId,
      peerRefers: () => this.#succession.referUnderWay,
      delegate: {
        onAgentGone: () => hangUp('agent_goodbye', 'agent'),
        onReferred: () => hangUp('transferred', 'agent'),
        onFarEnd: (why) => (why === 'hangup' ? hangUp('transferred', 'callee') : hangUp(why, 'system')),
        onReplaced: (leg, by, sipCallId) => this.lifecycle.events.report({ type: 'leg_replaced', by, sipCallId, leg }),
        onSuccession: (leg, event) => this.lifecycle.events.report({ ...event, leg }),
        onMessage: (message) => this.onMessage(message),
        onConsult: (step) => this.lifecycle.events.report({ type: 'consult', ...step }),
        onSupervision: (event) => this.lifecycle.events.report(event),
        onTurn: (turn) => this.lifecycle.events.report({ type: 'turn', turn }),
        onTurnLatency: (ms) => deps.observer.turnLatency(ms),
        onHold: (hold) => this.#holdChanged(hold),
        onDtmf: (count) => this.lifecycle.events.report({ type: 'dtmf', count }),
        onTransferWanted: (transferId, wish) =>
          this.lifecycle.events.report({ type: 'transfer_wanted', transferId, ...wish }),
        onOptOut: (by) => this.#optedOut(by),
        onAgentEnd: (reason) => hangUp(reason, reason === 'agent_goodbye' ? 'agent' : 'system'),
        // Before the answer nobody owes us packets.
        onMediaTimeout: () => {
          if (this.lifecycle.state === 'answered') hangUp('media_timeout', 'system');
        },
        onMediaQuiet: (quiet) => void this.#watch.mediaQuiet(quiet),
        onDeaf: (packetsForeign) => this.#deaf(packetsForeign),
        onFailure: () => hangUp('error', 'system'),
        onFirstPacketSent: (at) => this.lifecycle.timings.mark('first_sent', at),
        onFirstPacketReceived: (at) => this.lifecycle.timings.mark('first_received', at),
      },
    });
  }
}
