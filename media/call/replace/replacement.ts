/**
 * An INVITE that is to take the place of a leg's dialog (RFC 3891 §3). One with an offer does at once; one without gets ours
 * in the 200, and takes the place with the ACK that answers it. Until then the leg is with its peer as before, and whatever
 * fails leaves it there.
 *
 *   offered ──► answered ──► taken
 *      └───────────┴────────► over
 */
import type { AudioCodec } from '../../../contract/audio-codecs';
import type { RtpRemote } from '../../rtp/rtp-session';
import { readSessionDescription } from '../../sdp/session-description';
import { warningHeader } from '../../sdp/warning';
import type { DialogDelegate, InboundDialog } from '../../sip/dialog';
import type { ReasonHeader } from '../../sip/reason';
import { faultOfOffer, WARNING_AGENT } from '../call-sdp';
import type { Leg } from '../leg/leg';
import type { LegNegotiation } from '../leg/leg-negotiation';

export interface ReplacementOptions {
  readonly leg: Leg;
  readonly dialog: InboundDialog;
  /** Of the leg's trunk. */
  readonly codecs: readonly AudioCodec[] | null | undefined;
  /** The owner's of the leg, once the dialog has the place; `onMessage` from the beginning. */
  readonly delegate: DialogDelegate;
  /** It has the place, and the peer before it was told BYE or CANCEL. */
  readonly onTaken: (remote: RtpRemote) => void;
  /** It has not, and is over. */
  readonly onFailed: () => void;
}

/** RFC 3326: nobody has failed. */
export const REPLACED_REASON: ReasonHeader = { protocol: 'Q.850', cause: 16, text: 'replaced by another dialog' };
const UNUSABLE: ReasonHeader = { protocol: 'SIP', cause: 488, text: 'no usable audio' };

export class Replacement {
  readonly #options: ReplacementOptions;
  readonly #negotiation: LegNegotiation;
  #state: 'offered' | 'answered' | 'taken' | 'over' = 'offered';

  constructor(options: ReplacementOptions) {
    this.#options = options;
    const { address } = options.dialog.invite.peer;
    this.#negotiation = options.leg.nextNegotiation(() => address);
  }

  begin(): void {
    const { dialog, codecs = null } = this.#options;
    const { offer, peer } = dialog.invite;
    this.#listen();
    if (offer === null) {
      this.#state = 'answered';
      dialog.answer(this.#negotiation.makeOffer());
      return;
    }
    const { localAddress } = this.#negotiation;
    const read = readSessionDescription(offer);
    const fault = faultOfOffer(read, { localAddress, signallingAddress: peer.address, codecs });
    const answer = fault === null ? this.#negotiation.answer(read) : null;
    if (answer === null) {
      dialog.reject(488, fault === null ? {} : { warning: warningHeader(fault, WARNING_AGENT) });
      this.#over();
      return;
    }
    dialog.answer(answer.sdp);
    this.#take(answer.remote);
  }

  /** The leg is over, and with it the wait for its next peer. */
  abandon(): void {
    if (this.#state !== 'answered') return;
    this.#over();
    this.#options.dialog.bye();
  }

  #listen(): void {
    const { leg, dialog, delegate } = this.#options;
    dialog.delegate = {
      ...delegate,
      ...leg.dialogDelegate(this.#negotiation),
      onAck: (answer) => this.#acknowledged(answer),
      ...untilTaken(
        delegate,
        () => this.#state === 'taken',
        () => this.#over(),
      ),
    };
  }

  #acknowledged(answer: string | null): void {
    if (this.#state === 'taken') this.#options.leg.reofferAnswered(answer);
    if (this.#state !== 'answered') return;
    const remote = this.#negotiation.takeAnswer(answer);
    if (remote !== null) this.#take(remote);
    else {
      this.#options.dialog.bye(UNUSABLE);
      this.#over();
    }
  }

  #take(remote: RtpRemote): void {
    const { leg, dialog, onTaken } = this.#options;
    this.#state = 'taken';
    const before = leg.succeed(dialog, this.#negotiation);
    onTaken(remote);
    if (before === null) return;
    detach(before);
    before.bye(REPLACED_REASON);
  }

  #over(): void {
    if (this.#state === 'taken' || this.#state === 'over') return;
    this.#state = 'over';
    this.#options.onFailed();
  }
}

/** The end of a dialog is the end of its leg's once it has the place. */
export function untilTaken(delegate: DialogDelegate, isTaken: () => boolean, over: () => void): DialogDelegate {
  return {
    onBye: (reason) => (isTaken() ? delegate.onBye?.(reason) : over()),
    onExpired: (why) => (isTaken() ? delegate.onExpired?.(why) : over()),
    onClosed: (cause) => (isTaken() ? delegate.onClosed?.(cause) : over()),
  };
}

/** Its messages still belong to the call; that it ends has no consequence any more. */
export function detach(dialog: NonNullable<Leg['dialog']>): void {
  const { delegate } = dialog;
  dialog.delegate = { onMessage: (message) => delegate.onMessage?.(message) };
}
