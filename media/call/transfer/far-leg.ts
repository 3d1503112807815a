/**
 * A further leg of a call: somebody whom we call, to be joined to the call's own peer. It belongs to its call, which
 * releases it; whatever it still waits for then is given up.
 *
 *   dialling ──► answered ──► over
 *       └───────────────────────↗     refused, unreachable, nobody answers, released
 */
import type { Logger } from 'pino';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../../contract/directory';
import type { AudioCodec } from '../../../contract/audio-codecs';
import type { CallDirectory, OutboundTrunkProfile } from '../../../contract/directory';
import type { CommandResult, LegOutcome } from '../../../contract/commands';
import type { SipLadderEntry } from '../../../contract/events';
import type { LegDial } from '../../../contract/transfers';
import { TimerSet, type Clock } from '../../clock';
import type { RtpEngine, RtpRemote } from '../../rtp/rtp-session';
import type { DialogDelegate, OutboundDialog } from '../../sip/dialog';
import type { SipEndpoint } from '../../sip/endpoint';
import type { FinalAnswer, InviteOutcome } from '../../sip/invite';
import type { ReasonHeader } from '../../sip/reason';
import type { CallRegistry } from '../call-registry';
import { dispositionOf } from '../disposition';
import { RING_TIMEOUT_REASON } from '../hangup-reason';
import { Leg, type KeyPress } from '../leg/leg';
import { PeerWatch } from '../leg/peer-watch';
import type { SuccessionEvent } from '../replace/peer-refers';
import { carrierOf, type ReferringPeer } from '../replace/refer-target';
import { Succession } from '../replace/succession';
import type { GatewayRests } from '../gateway-rests';
import type { TrunkCapacity } from '../trunk-capacity';
import { wildcardFor } from '../trunk-invite';
import type { HandedOver } from './handed-over';
import { legInvite, type LegInvite } from './leg-invite';

/** What further legs of calls need of the node. */
export interface LegNetwork {
  readonly endpoint: () => Pick<SipEndpoint, 'invite' | 'lookUp'>;
  readonly directory: Pick<
    CallDirectory,
    'inboundTrunk' | 'outboundTrunk' | 'registeredContacts' | 'refuseReferredUser'
  >;
  readonly registry: Pick<CallRegistry, 'occupy' | 'track' | 'pace'>;
  readonly capacity: TrunkCapacity;
  readonly rests: Pick<GatewayRests, 'awake' | 'answered'>;
}

export interface LegFailure {
  readonly outcome: Exclude<LegOutcome, 'transferred_assumed'>;
  readonly sipStatus: number | null;
}

interface FarLegDelegate {
  onAnswered(): void;
  /** It never was, and is over; not told of one that was released. */
  onFailed(failure: LegFailure): void;
  /** It was answered, and is over. `hangup`: its peer said BYE. */
  onEnded(why: 'hangup' | 'media_timeout' | 'session_expired' | 'error'): void;
  onDigit(digit: string, press: KeyPress): void;
  /** It may be on hold now, or again. */
  onHold(): void;
  onPlaybackFinished(playbackId: number): void;
  onMessage(message: SipLadderEntry): void;
  /** Somebody else is at its other end. */
  onReplaced(by: 'replaces' | 'refer', sipCallId: string): void;
  /** Whoever is there wants somebody else to be. */
  onSuccession(event: SuccessionEvent): void;
}

export interface FarLegOptions {
  readonly orgId: string;
  readonly dial: LegDial;
  /** Null: nobody is, the leg is for the organisation itself. */
  readonly handedOver: HandedOver | null;
  /** Whom it is to be joined to. */
  readonly beside: Leg;
  /** Whether its peer may refer us to somebody else now; null: never. */
  readonly mayRefer: (() => boolean) | null;
  readonly network: LegNetwork;
  readonly engine: RtpEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly delegate: FarLegDelegate;
}

const UNUSABLE: ReasonHeader = { protocol: 'SIP', cause: 488, text: 'no usable audio' };

class Released extends Error {}

export class FarLeg {
  readonly leg: Leg;
  readonly #options: FarLegOptions;
  readonly #timers: TimerSet<'ring'>;
  #state: 'dialling' | 'answered' | 'over' = 'dialling';
  #dialog: OutboundDialog | null = null;
  #localAddress = '';
  readonly #codecs: readonly AudioCodec[] | null;
  #leaveTrunk: () => void = () => undefined;
  readonly #succession: Succession;
  #why: ReasonHeader | undefined;
  readonly #watch = new PeerWatch({
    leg: () => this.leg,
    isUp: () => this.#state === 'answered' && !this.#succession.vacant,
    onGone: () => this.#ended('media_timeout'),
  });

  constructor(options: FarLegOptions) {
    this.#options = options;
    const { engine, clock, network, dial } = options;
    this.#timers = new TimerSet(clock);
    const trunk = dial.trunkId === null ? undefined : network.directory.outboundTrunk(dial.trunkId);
    this.#codecs = trunk?.codecs ?? null;
    this.leg = new Leg({
      engine,
      clock,
      codecs: this.#codecs,
      // Of a SIP URI that is called directly no trunk says anything.
      dtmfMode: dial.target.type === 'phone' ? trunk?.dtmfMode : undefined,
      localMedia: () => ({ localAddress: this.#localAddress, signallingAddress: this.#dialog?.peer?.address ?? null }),
      delegate: {
        onDigit: (digit, press) => options.delegate.onDigit(digit, press),
        onHold: () => options.delegate.onHold(),
        onPlaybackFinished: (id) => options.delegate.onPlaybackFinished(id),
        onMediaTimeout: () => this.#ended('media_timeout'),
        onMediaQuiet: (quiet) => void this.#watch.mediaQuiet(quiet),
        onDeaf: () => undefined,
        onFailure: () => this.#ended('error'),
        onFirstPacketSent: () => undefined,
        onFirstPacketReceived: () => undefined,
      },
    });
    this.#succession = new Succession({
      leg: this.leg,
      clock,
      network,
      trunkId: dial.trunkId,
      codecs: this.#codecs,
      orgId: () => options.orgId,
      revoked: () => this.#revoked(),
      isLive: () => this.#state !== 'over',
      busy: { toReplace: () => false, toRefer: () => options.mayRefer?.() !== true },
      delegateOf: (sipCallId) => this.#delegateOf(sipCallId),
      report: (event) => options.delegate.onSuccession(event),
      onTaken: (by, sipCallId, remote) => {
        options.delegate.onReplaced(by, sipCallId);
        if (this.#state === 'answered') this.leg.start(remote);
        else this.#answered(remote);
      },
    });
  }

  get referUnderWay(): boolean {
    return this.#succession.referUnderWay;
  }

  /** The word of the call's workflow on what its peer has asked for. */
  follow(referId: string, follow: boolean): CommandResult {
    return this.#succession.follow(referId, follow);
  }

  get legId(): string {
    return this.#options.dial.legId;
  }

  /** Never rejects: what becomes of it is told. */
  async dial(): Promise<void> {
    const { dial, logger } = this.#options;
    this.#timers.arm('ring', dial.ringTimeoutSeconds * 1000, () => {
      this.#why = RING_TIMEOUT_REASON;
      this.#failed({ outcome: 'no_answer', sipStatus: null });
    });
    try {
      const failure = await this.#reach();
      if (failure !== null) this.#failed(failure);
    } catch (error) {
      if (!(error instanceof Released)) {
        logger.info({ legId: dial.legId, reason: (error as Error).name }, 'a leg could not be dialled');
      }
      this.#failed({ outcome: 'trunk_unreachable', sipStatus: null });
    }
  }

  /** It is over, whatever it is doing: CANCEL or BYE. Idempotent. */
  release(why?: ReasonHeader): void {
    if (this.#state === 'over') return;
    this.#why = why;
    this.#close();
  }

  /** What went wrong before an INVITE left; null once one has. */
  async #reach(): Promise<LegFailure | null> {
    const { dial, orgId, handedOver, beside, network } = this.#options;
    const { directory, registry, capacity } = network;
    const trunk = dial.trunkId === null ? undefined : directory.outboundTrunk(dial.trunkId);
    const own = trunk?.orgId === orgId ? trunk : null;
    const invite = legInvite(dial, own, handedOver);
    if (invite === null)
      return { outcome: dial.target.type === 'phone' ? 'no_trunk' : 'trunk_unreachable', sipStatus: null };
    let contacts = null;
    if (own !== null && dial.target.type === 'phone') {
      const left = registry.track(own.id, () => this.#revoked());
      this.#leaveTrunk = left;
      const asked = directory.registeredContacts(own, []);
      const registered = asked === null ? null : await asked;
      // Whoever has registered at another node is reached from there alone, and the call is here.
      if (registered !== null && registered.kind !== 'contacts')
        return { outcome: 'trunk_unreachable', sipStatus: null };
      contacts = registered?.contacts ?? null;
      const giveBack = await capacity.occupy({ orgId, trunkId: own.id });
      if (giveBack === null) return { outcome: 'congestion', sipStatus: null };
      if (this.#isOver()) giveBack();
      else {
        this.#leaveTrunk = () => {
          left();
          giveBack();
        };
      }
    }
    const localAddress = wildcardFor(contacts?.[0]?.source.address ?? invite.mediaHost);
    const mediaTimeoutSeconds = own?.mediaTimeoutSeconds ?? DEFAULT_MEDIA_TIMEOUT_SECONDS;
    await this.leg.open({ localAddress, mediaTimeoutSeconds, beside });
    await this.#invite(invite, contacts, dial.target.type === 'phone' ? own : null);
    return null;
  }

  async #invite(
    { invite }: LegInvite,
    contacts: NonNullable<Parameters<SipEndpoint['invite']>[0]['contacts']> | null,
    trunk: OutboundTrunkProfile | null,
  ): Promise<void> {
    const { network, dial, orgId } = this.#options;
    const dialog = await network.endpoint().invite(
      {
        sipCallId: dial.legId,
        orgId,
        ...invite,
        ...(contacts === null ? {} : { contacts }),
        ...(trunk === null
          ? {}
          : {
              gateways: network.rests.awake(trunk, invite.gateways ?? []),
              beforeFailover: () => network.capacity.turn({ orgId, trunkId: trunk.id }),
            }),
        offer: (localAddress) => {
          if (this.#state === 'over') throw new Released();
          this.#localAddress = localAddress;
          return this.leg.negotiation.makeOffer();
        },
      },
      {
        ...this.leg.dialogDelegate(),
        ...this.#delegateOf(dial.legId),
        ...this.#succession.delegate(this.#vouchedFor()),
        onAccept: (sdp) => this.#accepted(sdp),
        onReject: (outcome) => this.#rejected(outcome),
        onHostAnswer: (host, answer) => {
          if (trunk !== null) network.rests.answered(trunk, host, answer);
        },
      },
    );
    this.#dialog = this.leg.dialog = dialog;
    // Released between the INVITE and its dialog.
    if (this.#isOver()) dialog.cancel(this.#why);
  }

  /** A trunk of the organisation's vouches for whom a number reaches; for a SIP URI that is called directly none does. */
  #vouchedFor(): (() => ReferringPeer) | null {
    const { dial, orgId, network, mayRefer } = this.#options;
    const trunk = dial.trunkId === null ? undefined : network.directory.outboundTrunk(dial.trunkId);
    if (mayRefer === null || dial.target.type !== 'phone' || trunk?.orgId !== orgId) return null;
    return () => carrierOf(trunk, this.#dialog);
  }

  #delegateOf(sipCallId: string): DialogDelegate {
    return {
      onMessage: (message) => this.#options.delegate.onMessage({ ...message, leg: sipCallId }),
      onBye: () => this.#succession.peerLeft(() => this.#ended('hangup')),
      onAck: (answer) => this.leg.reofferAnswered(answer),
      onExpired: () => this.#ended('session_expired'),
      onClosed: () => {
        this.#failed({ outcome: 'failed', sipStatus: null }, false);
        this.#succession.peerLeft(() => this.#ended('error'));
      },
    };
  }

  #accepted(sdp: string | null): void {
    if (this.#state !== 'dialling') {
      // The 2xx crossed our CANCEL (RFC 3261 §9.1).
      this.#dialog?.bye(this.#why);
      return;
    }
    const remote = this.leg.negotiation.takeAnswer(sdp);
    if (!remote) {
      this.#dialog?.bye(UNUSABLE);
      this.#failed({ outcome: 'media_incompatible', sipStatus: null }, false);
      return;
    }
    this.#answered(remote);
  }

  #answered(remote: RtpRemote): void {
    this.#state = 'answered';
    this.#timers.clearAll();
    this.leg.start(remote);
    this.#options.delegate.onAnswered();
  }

  #rejected(outcome: InviteOutcome): void {
    const answer: FinalAnswer | null = outcome.kind === 'status' ? outcome : null;
    this.#failed({ outcome: dispositionOf(outcome, null), sipStatus: answer?.status ?? null }, false);
  }

  /** Its trunk was deleted. */
  #revoked(): void {
    if (this.#state === 'answered') this.#ended('error');
    else this.#failed({ outcome: 'no_trunk', sipStatus: null });
  }

  #failed(failure: LegFailure, hangUp = true): void {
    if (this.#state !== 'dialling') return;
    this.#close(hangUp);
    this.#options.delegate.onFailed(failure);
  }

  #ended(why: Parameters<FarLegDelegate['onEnded']>[0]): void {
    if (this.#state !== 'answered') return;
    this.#close(why !== 'hangup');
    this.#options.delegate.onEnded(why);
  }

  #close(hangUp = true): void {
    const answered = this.#state === 'answered';
    this.#state = 'over';
    this.#timers.clearAll();
    this.#succession.close();
    if (hangUp && answered) this.leg.dialog?.bye(this.#why);
    else if (hangUp) this.#dialog?.cancel(this.#why);
    this.#succession.leaveTrunk();
    this.#leaveTrunk();
    this.leg.silence();
    void this.leg.close().catch(() => undefined); // nobody asks for its statistics
  }

  /** By its own events, meanwhile. */
  #isOver(): boolean {
    return this.#state === 'over';
  }
}
