/**
 * Who comes into the place of a leg's peer: whoever replaces its dialog (RFC 3891), or whom it refers us to (RFC 3515). One
 * at a time. The leg goes on with them; what that means for the call is its owner's business.
 */
import type { CommandResult } from '../../../contract/commands';
import type { AudioCodec } from '../../../contract/audio-codecs';
import type { Clock } from '../../clock';
import type { RtpRemote } from '../../rtp/rtp-session';
import type { DialogDelegate, InboundDialog } from '../../sip/dialog';
import type { Leg } from '../leg/leg';
import type { LegNetwork } from '../transfer/far-leg';
import { PeerRefers, type SuccessionEvent } from './peer-refers';
import { TrunkPlace } from './place';
import type { ReferringPeer } from './refer-target';
import { Replacement } from './replacement';

export interface SuccessionOptions {
  readonly leg: Leg;
  readonly clock: Clock;
  readonly network: LegNetwork;
  /** Of the leg; null: none. */
  readonly trunkId: string | null;
  /** Of its trunk. */
  readonly codecs: readonly AudioCodec[] | null | undefined;
  readonly orgId: () => string | null;
  /** The trunk of who has come was deleted. */
  readonly revoked: () => void;
  readonly isLive: () => boolean;
  /** Something else is being done with the peer: nobody may replace it, nor may it refer us to anybody. */
  readonly busy: { readonly toReplace: () => boolean; readonly toRefer: () => boolean };
  /** The owner's, of a dialog that is to have the place. */
  readonly delegateOf: (sipCallId: string) => DialogDelegate;
  readonly report: (event: SuccessionEvent) => void;
  /** Somebody else is at the other end, and is to be heard there. */
  readonly onTaken: (by: 'replaces' | 'refer', sipCallId: string, remote: RtpRemote) => void;
}

export class Succession {
  readonly #options: SuccessionOptions;
  readonly #place: TrunkPlace;
  readonly #refers: PeerRefers;
  #replacement: Replacement | null = null;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    const { leg, clock, network, trunkId, orgId, revoked, isLive, busy, report, onTaken } = options;
    this.#place = new TrunkPlace(network, trunkId, revoked);
    this.#refers = new PeerRefers({
      leg,
      clock,
      network,
      place: this.#place,
      orgId,
      busy: () => !isLive() || this.#replacement !== null || busy.toRefer(),
      delegateOf: (sipCallId, peer) => ({ ...options.delegateOf(sipCallId), ...this.delegate(peer) }),
      report,
      onTaken: (remote, sipCallId) => onTaken('refer', sipCallId, remote),
    });
  }

  /** We have been asked to call somebody. */
  get referUnderWay(): boolean {
    return this.#refers.underWay;
  }

  /** The peer is gone, and somebody may come yet. */
  get vacant(): boolean {
    return this.#refers.vacant;
  }

  /**
   * For the leg's dialog.
   * @param peerOf who may refer us to somebody else; null: nobody whom we know
   */
  delegate(peerOf: (() => ReferringPeer) | null): DialogDelegate {
    const onReplace = (dialog: InboundDialog): void => this.#replace(dialog);
    if (peerOf === null) return { onReplace };
    return { onReplace, onRefer: (refer) => this.#refers.receive(refer, peerOf()) };
  }

  /** The word of the call's workflow. */
  follow(referId: string, follow: boolean): CommandResult {
    return this.#refers.follow(referId, follow);
  }

  /** The peer is gone: `end` comes when nobody takes its place; at once where nobody is called. */
  peerLeft(end: () => void): void {
    this.#refers.peerLeft(end);
  }

  /** Nobody is to come any more. Idempotent. */
  close(): void {
    this.#replacement?.abandon();
    this.#refers.close();
  }

  /** The leg counts with no trunk any more. Idempotent. */
  leaveTrunk(): void {
    this.#place.leave();
  }

  #replace(dialog: InboundDialog): void {
    const { leg, codecs, isLive, busy, delegateOf, onTaken } = this.#options;
    if (!isLive()) return dialog.reject(603);
    if (this.#replacement !== null || this.#refers.underWay || busy.toReplace()) return dialog.reject(491);
    const place = this.#place.offer(dialog);
    if ('status' in place) return dialog.reject(place.status, place);
    const over = (): void => {
      this.#replacement = null;
    };
    this.#replacement = new Replacement({
      leg,
      dialog,
      codecs,
      delegate: { ...delegateOf(dialog.sipCallId), ...this.delegate(() => this.#referring(dialog)) },
      onTaken: (remote) => {
        over();
        place.take();
        onTaken('replaces', dialog.sipCallId, remote);
      },
      onFailed: () => {
        over();
        place.giveBack();
      },
    });
    this.#replacement.begin();
  }

  #referring({ invite, remoteTarget }: InboundDialog): ReferringPeer {
    const trunk = this.#options.network.directory.inboundTrunk(invite.identity.username);
    return { at: invite.peer, contact: remoteTarget, hosts: [], limits: trunk ?? {} };
  }
}
