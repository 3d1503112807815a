/** What an offer/answer exchange (RFC 3264) settles for one audio stream. */
import type { AudioCodec } from '../../contract/audio-codecs';

/** As in SDP; from the side whose SDP it stands in. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** The peer's side of the negotiated stream. */
export interface RemoteAudio {
  /** IPv4 or IPv6 literal; unspecified (0.0.0.0, ::) when the peer holds in the manner of RFC 2543. */
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly codec: AudioCodec;
  readonly payloadType: number;
  /** What the peer calls telephone-event, for us to send with; null when its SDP has none. */
  readonly telephoneEventPayloadType: number | null;
  /** What our SDP calls it, for the peer to send with (RFC 3264 §5.1, §6.1); null when ours has none. */
  readonly localTelephoneEventPayloadType: number | null;
  /** Of either; the codec's where there is none. */
  readonly telephoneEventClockRateHz: number;
  /** We may send to the peer: it is not holding us. */
  readonly send: boolean;
  /** The peer will send to us. */
  readonly receive: boolean;
}

export interface LocalAudio {
  /** Literal address or host name for o= and c=. */
  readonly localAddress: string;
  readonly port: number;
  /** Decimal, stable for the life of the dialog. */
  readonly sessionId: string;
  /** One more with every SDP that differs from the one before. */
  readonly version: number;
  /** What we want; default sendrecv. The answer is narrowed by the offer. */
  readonly direction?: Direction;
  /** Where the peer's SIP comes from: stands in for a host name in its SDP. */
  readonly signallingAddress?: string | null;
  /** What we take, best first; default, and null: all, and of an offer its first. */
  readonly codecs?: readonly AudioCodec[] | null;
}
