/** Offers and answers (RFC 3264) of one leg: its SDP session, and whether an offer of ours waits for its answer. */
import type { AudioCodec } from '../../../contract/audio-codecs';
import type { RtpRemote } from '../../rtp/rtp-session';
import type { Direction } from '../../sdp/audio-stream';
import { SdpSession } from '../../sdp/sdp-session';
import type { ReadDescription } from '../../sdp/session-description';
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
  readonly localMedia: () => LocalMedia;
}

export class LegNegotiation {
  /** What we want of the stream, in offers and answers, from now on. */
  direction: Direction = 'sendrecv';
  readonly #options: LegNegotiationOptions;
  #sdp: SdpSession | null = null;
  #offerOutstanding = false;

  constructor(options: LegNegotiationOptions) {
    this.#options = options;
  }

  /** What our SDP says, and from where its port can be reached. */
  get localAddress(): string {
    return this.#options.localMedia().localAddress;
  }

  get offerOutstanding(): boolean {
    return this.#offerOutstanding;
  }

  /** Our answer to an offer, and where to send; null when it has no usable audio. */
  answer(offer: string | ReadDescription): { readonly sdp: string; readonly remote: RtpRemote } | null {
    const { signallingAddress } = this.#options.localMedia();
    const session = this.#session();
    session.signallingAddress = signallingAddress;
    const result = session.answer(offer, this.direction);
    return result.ok ? { sdp: result.sdp, remote: rtpRemoteOf(result.remote, signallingAddress) } : null;
  }

  /** Our offer is out (with our INVITE, or in a 200 that owed one); `takeAnswer` gets its answer. */
  makeOffer(): string {
    this.#offerOutstanding = true;
    return this.#session().offer(this.direction);
  }

  /** The answer to `makeOffer`, null when it has no usable audio or nothing was asked. */
  takeAnswer(sdp: string | null): RtpRemote | null {
    if (!this.#offerOutstanding) return null;
    this.#offerOutstanding = false;
    return sdp === null ? null : this.readAnswer(sdp);
  }

  /** For a re-INVITE of ours that asks for another direction; `readAnswer` gets its answer. */
  offer(direction: Direction): string {
    return this.#session().offer(direction);
  }

  /** Our SDP in force, for a re-INVITE that changes nothing. */
  refreshOffer(): string | null {
    return this.#offerOutstanding ? null : (this.#sdp?.refreshOffer() ?? null);
  }

  /** The answer to an SDP of ours, null when it has no usable audio. */
  readAnswer(sdp: string): RtpRemote | null {
    if (!this.#sdp) return null;
    const { signallingAddress } = this.#options.localMedia();
    this.#sdp.signallingAddress = signallingAddress;
    const result = this.#sdp.readAnswer(sdp);
    return result.ok ? rtpRemoteOf(result.remote, signallingAddress) : null;
  }

  #session(): SdpSession {
    const { codecs = null, localPort, localMedia } = this.#options;
    this.#sdp ??= new SdpSession({ localAddress: localMedia().localAddress, port: localPort(), codecs });
    return this.#sdp;
  }
}
