/** Offers and answers (RFC 3264) of one leg: its SDP session, and whether an offer of ours waits for its answer. */
import type { AudioCodec } from '../../../contract/directory';
import type { RtpRemote } from '../../rtp/rtp-session';
import { SdpSession } from '../../sdp/sdp-session';
import { rtpRemoteOf } from '../call-sdp';

export interface LocalMedia {
  /** Of the route to the peer: what our SDP says. */
  readonly localAddress: string;
  /** Where the peer's signalling comes from, null when not known. */
  readonly signallingAddress: string | null;
}

interface LegNegotiationOptions {
  /** Of its trunk, best first; default, and null: all. */
  readonly codecs?: readonly AudioCodec[] | null | undefined;
  readonly localPort: () => number;
}

export class LegNegotiation {
  readonly #options: LegNegotiationOptions;
  #sdp: SdpSession | null = null;
  #offerOutstanding = false;

  constructor(options: LegNegotiationOptions) {
    this.#options = options;
  }

  get offerOutstanding(): boolean {
    return this.#offerOutstanding;
  }

  /** Our answer to the offer of an INVITE, and where to send; null when it has no usable audio. */
  answer(offer: string, media: LocalMedia): { readonly sdp: string; readonly remote: RtpRemote } | null {
    const session = this.#session(media);
    session.signallingAddress = media.signallingAddress;
    const result = session.answer(offer);
    return result.ok ? { sdp: result.sdp, remote: rtpRemoteOf(result.remote, media.signallingAddress) } : null;
  }

  /** Our offer is out (with our INVITE, or in a 200 that owed one); `takeAnswer` gets its answer. */
  makeOffer(media: Pick<LocalMedia, 'localAddress'>): string {
    this.#offerOutstanding = true;
    return this.#session(media).offer();
  }

  /** The answer to `makeOffer`, null when it has no usable audio or nothing was asked. */
  takeAnswer(sdp: string | null, signallingAddress: string | null): RtpRemote | null {
    if (!this.#offerOutstanding) return null;
    this.#offerOutstanding = false;
    return sdp === null ? null : this.readAnswer(sdp, signallingAddress);
  }

  /** Our SDP in force, for a re-INVITE that changes nothing. */
  refreshOffer(): string | null {
    return this.#offerOutstanding ? null : (this.#sdp?.refreshOffer() ?? null);
  }

  /** The answer to an SDP of ours, null when it has no usable audio. */
  readAnswer(sdp: string, signallingAddress: string | null): RtpRemote | null {
    if (!this.#sdp) return null;
    this.#sdp.signallingAddress = signallingAddress;
    const result = this.#sdp.readAnswer(sdp);
    return result.ok ? rtpRemoteOf(result.remote, signallingAddress) : null;
  }

  #session({ localAddress }: Pick<LocalMedia, 'localAddress'>): SdpSession {
    const { codecs = null, localPort } = this.#options;
    this.#sdp ??= new SdpSession({ localAddress, port: localPort(), codecs });
    return this.#sdp;
  }
}
