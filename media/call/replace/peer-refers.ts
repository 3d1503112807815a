/**
 * The peer wants us to call somebody of its own, who is to go on with the call in its place (RFC 3515). One at a time.
 *
 *   asked ──202──► waiting ──follow()──► calling ──answered──► done
 *     │               │ not told in time    │ refused, nobody answers
 *     └─► over ◄──────┴─────────────────────┘
 *
 * The new call is a side effect, so the call's workflow says that it is to be made, and it is made for no word that comes
 * late. The peer stays with the agent until somebody answers; one that hangs up before (RFC 5589 §6.1 lets it) leaves the
 * agent waiting, and ends the call only where nobody does.
 */
import { randomUUID } from 'node:crypto';

import type { CommandResult } from '../../../contract/commands';
import type { CallEventBody } from '../call-events';
import { TimerSet, type Clock } from '../../clock';
import type { RtpRemote } from '../../rtp/rtp-session';
import type { DialogDelegate, OutboundDialog } from '../../sip/dialog';
import type { InviteOutcome, OutboundInvite } from '../../sip/invite';
import { decodeUserPart, parseUri } from '../../sip/message/uri';
import type { ReasonHeader } from '../../sip/reason';
import type { IncomingRefer } from '../../sip/refer/received-refer';
import { formatReferredBy } from '../../sip/refer/refer-to';
import { formatReplaces } from '../../sip/refer/replaces';
import { RING_TIMEOUT_REASON } from '../hangup-reason';
import type { Leg } from '../leg/leg';
import type { LegNetwork } from '../transfer/far-leg';
import type { TrunkPlace } from './place';
import { referredTarget, type ReferringPeer } from './refer-target';
import { detach, REPLACED_REASON, untilTaken } from './replacement';

export type SuccessionEvent = CallEventBody & { readonly type: 'peer_referred' | 'peer_refer_refused' };

export interface PeerRefersOptions {
  readonly leg: Leg;
  readonly clock: Clock;
  readonly network: LegNetwork;
  readonly place: TrunkPlace;
  readonly orgId: () => string | null;
  /** We are about to hand the peer over ourselves, or something else is to take its place. */
  readonly busy: () => boolean;
  /** The owner's of the leg, of the dialog that has come into the peer's place. */
  readonly delegateOf: (sipCallId: string, peer: () => ReferringPeer) => DialogDelegate;
  readonly report: (event: SuccessionEvent) => void;
  readonly onTaken: (remote: RtpRemote, sipCallId: string) => void;
}

/** As a peer would ring. */
const RING_MS = 60_000;
/** For the workflow's word: over a worker that restarts. */
const FOLLOW_WITHIN_MS = 10_000;
/** Whoever has referred us hangs up; this long it may take. */
const BYE_AFTER_MS = 2_000;
/** More nobody means: each is a step of the call's workflow, each refusal an event. */
const MAX_FOLLOWED = 20;
const MAX_REFUSALS_TOLD = 50;
const UNUSABLE = { protocol: 'SIP', cause: 488, text: 'no usable audio' } as const;

const BUSY = 491;
const DECLINED = 603;
const UNAVAILABLE = 503;
const NO_ANSWER = 408;

interface Followed {
  readonly referId: string;
  readonly refer: IncomingRefer;
  readonly peer: ReferringPeer;
  state: 'asked' | 'waiting' | 'calling' | 'over';
  invite: Pick<OutboundInvite, 'target' | 'nextHop'> | null;
  dialog: OutboundDialog | null;
  leaveTrunk: () => void;
}

class CalledOff extends Error {}

export class PeerRefers {
  readonly #options: PeerRefersOptions;
  readonly #timers: TimerSet<'follow' | 'ring' | 'bye'>;
  #current: Followed | null = null;
  #followed = 0;
  #refusals = 0;
  /** What the end of the peer's dialog is to the call, where nobody takes its place. */
  #ends: (() => void)[] = [];
  #hangUpBefore: () => void = () => undefined;

  constructor(options: PeerRefersOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  get underWay(): boolean {
    return this.#current !== null;
  }

  /** The peer is gone, and whom it has referred us to is being called. */
  get vacant(): boolean {
    return this.#ends.length > 0;
  }

  receive(refer: IncomingRefer, peer: ReferringPeer): void {
    if (this.#current !== null || this.#options.busy()) return this.#refuse(refer, BUSY, 'busy');
    if (this.#followed >= MAX_FOLLOWED) return this.#refuse(refer, DECLINED, 'too_many');
    const current: Followed = {
      referId: randomUUID(),
      refer,
      peer,
      state: 'asked',
      invite: null,
      dialog: null,
      leaveTrunk: () => undefined,
    };
    this.#current = current;
    void this.#judge(current);
  }

  /** The word of the call's workflow. */
  follow(referId: string, follow: boolean): CommandResult {
    const current = this.#current;
    if (current?.referId !== referId || current.state !== 'waiting') return { ok: false, code: 'ended' };
    this.#timers.clear('follow');
    if (!follow || this.#options.busy()) this.#fail(current, BUSY);
    else void this.#call(current);
    return { ok: true };
  }

  /** The peer is gone: `end` comes when nobody takes its place; at once where nobody is called. */
  peerLeft(end: () => void): void {
    const current = this.#current;
    if (current === null || current.state === 'asked') {
      this.#forget();
      end();
      return;
    }
    this.#ends.push(end);
    this.#options.leg.suspend();
  }

  /** The call is over. Idempotent. */
  close(): void {
    const current = this.#current;
    this.#ends = [];
    if (current?.state === 'asked') this.#forget();
    else if (current !== null) this.#fail(current, 487);
    this.#hangUpBefore();
    this.#timers.clearAll();
  }

  async #judge(current: Followed): Promise<void> {
    const { clock, network, place } = this.#options;
    const { refer, peer } = current;
    const lookup = { clock, endpoint: network.endpoint(), directory: network.directory };
    const target = await referredTarget(refer.referTo, peer, lookup);
    if (this.#current !== current) return;
    const refuse = (status: number, why: string): void => {
      this.#forget();
      this.#refuse(refer, status, why);
    };
    if (typeof target === 'string') return refuse(DECLINED, target);
    if (this.#options.busy()) return refuse(BUSY, 'busy');
    const second = place.second(peer.limits);
    if (typeof second !== 'function') return refuse(second.status, 'trunk_full');
    current.invite = target;
    current.leaveTrunk = second;
    current.state = 'waiting';
    this.#followed++;
    refer.accept();
    this.#tell(current, 'accepted', 202);
    this.#timers.arm('follow', FOLLOW_WITHIN_MS, () => this.#fail(current, UNAVAILABLE));
  }

  async #call(current: Followed): Promise<void> {
    current.state = 'calling';
    this.#timers.arm('ring', RING_MS, () => {
      this.#fail(current, NO_ANSWER, RING_TIMEOUT_REASON);
    });
    try {
      if (!(await this.#turn(current))) return this.#fail(current, UNAVAILABLE);
      await this.#invite(current);
    } catch {
      // It cannot be reached, or was called off; that is all the peer is told too.
      this.#fail(current, UNAVAILABLE);
    }
  }

  /** Of the trunk's calls a second; false: there is none before long. */
  async #turn(current: Followed): Promise<boolean> {
    const { network, place } = this.#options;
    const { trunkId } = place;
    if (trunkId === null) return true;
    const outbound = network.directory.outboundTrunk(trunkId);
    if (outbound === undefined) {
      return network.registry.pace.arrives(trunkId, current.peer.limits.maxCallsPerSecond ?? null);
    }
    const giveBack = await network.capacity.occupy({ orgId: outbound.orgId, trunkId });
    if (giveBack === null) return false;
    if (isOver(current)) giveBack();
    const { leaveTrunk } = current;
    current.leaveTrunk = () => {
      leaveTrunk();
      giveBack();
    };
    return true;
  }

  async #invite(current: Followed): Promise<void> {
    const { leg, network, orgId, delegateOf } = this.#options;
    const { refer, peer, invite } = current;
    if (invite === null) return;
    const sipCallId = randomUUID();
    const negotiation = leg.nextNegotiation(() => current.dialog?.peer?.address ?? null);
    const us = parseUri(leg.dialog?.localUri ?? '');
    let taken = false;
    const delegate = delegateOf(sipCallId, () => {
      const { at, contact } = peer;
      return { ...peer, at: current.dialog?.peer ?? at, contact: current.dialog?.remoteTarget ?? contact };
    });
    const dialog = await network.endpoint().invite(
      {
        sipCallId,
        orgId: orgId() ?? '',
        ...invite,
        fromUser: decodeUserPart(us?.user ?? ''),
        fromHost: us === null ? null : us.host.replaceAll(/[[\]]/g, ''),
        headers: headersOf(refer),
        // Those of a trunk are for calls that we make by ourselves.
        credentials: null,
        offer: () => {
          if (isOver(current)) throw new CalledOff();
          return negotiation.makeOffer();
        },
      },
      {
        ...delegate,
        ...leg.dialogDelegate(negotiation),
        ...untilTaken(
          delegate,
          () => taken,
          () => this.#fail(current, UNAVAILABLE),
        ),
        onProgress: (status) => {
          if (status > 100 && !isOver(current)) void refer.notify(status);
        },
        onReject: (outcome) => this.#fail(current, statusOf(outcome)),
        onAccept: (sdp) => {
          // It crossed our CANCEL (RFC 3261 §9.1).
          if (isOver(current)) return current.dialog?.bye();
          const remote = negotiation.takeAnswer(sdp);
          if (remote === null) {
            current.dialog?.bye(UNUSABLE);
            return this.#fail(current, UNUSABLE.cause);
          }
          taken = true;
          const before = leg.succeed(current.dialog!, negotiation);
          this.#taken(current, before, remote, sipCallId);
        },
      },
    );
    current.dialog = dialog;
    // Called off between the INVITE and its dialog.
    if (isOver(current)) dialog.cancel();
  }

  #taken(current: Followed, before: Leg['dialog'], remote: RtpRemote, sipCallId: string): void {
    const { onTaken } = this.#options;
    this.#tell(current, 'done', 200);
    this.#forget();
    this.#ends = [];
    this.#hangUpBefore();
    if (before !== null) {
      detach(before);
      this.#hangUpBefore = () => {
        this.#timers.clear('bye');
        before.bye(REPLACED_REASON);
      };
      // RFC 3515 §2.4.5: the BYE is the peer's, who has to hear first that it is time; we do not wait for it for ever.
      const bye = (): void => this.#timers.arm('bye', BYE_AFTER_MS, this.#hangUpBefore);
      bye();
      void current.refer.notify(200).then(bye);
    }
    onTaken(remote, sipCallId);
  }

  #fail(current: Followed, status: number, why?: ReasonHeader): void {
    if (this.#current !== current) return;
    current.dialog?.cancel(why);
    this.#forget();
    void current.refer.notify(status);
    this.#tell(current, 'failed', status);
    for (const end of this.#ends.splice(0)) end();
  }

  #forget(): void {
    if (this.#current === null) return;
    this.#current.state = 'over';
    this.#current.leaveTrunk();
    this.#current = null;
    this.#timers.clear('follow');
    this.#timers.clear('ring');
  }

  #refuse(refer: IncomingRefer, sipStatus: number, why: string): void {
    refer.refuse(sipStatus);
    if (this.#refusals++ < MAX_REFUSALS_TOLD) this.#options.report({ type: 'peer_refer_refused', sipStatus, why });
  }

  #tell({ referId }: Followed, outcome: 'accepted' | 'done' | 'failed', sipStatus: number): void {
    this.#options.report({ type: 'peer_referred', referId, outcome, sipStatus });
  }
}

/** By events of its own, meanwhile. */
function isOver({ state }: Followed): boolean {
  return state === 'over';
}

function headersOf({ referTo, referredBy }: IncomingRefer): NonNullable<OutboundInvite['headers']> {
  const { replaces, headers } = referTo;
  return [
    ...(referredBy === null ? [] : [['Referred-By', formatReferredBy(referredBy)] as const]),
    // One that does not know Replaces must not ring for it (RFC 5589 §7.3).
    ...(replaces === null ? [] : [['Replaces', formatReplaces(replaces)] as const, ['Require', 'replaces'] as const]),
    ...headers,
  ];
}

function statusOf(outcome: InviteOutcome): number {
  switch (outcome.kind) {
    case 'status':
      // Where it is elsewhere is not for us to follow, nor for the peer to hear as an end.
      return outcome.status >= 400 ? outcome.status : DECLINED;
    case 'timeout':
      return NO_ANSWER;
    case 'unreachable':
      return UNAVAILABLE;
  }
}
