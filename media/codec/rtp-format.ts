/** How RTP and SDP know our codecs (RFC 3551 §6). */
import type { AudioCodec } from '../../contract/audio-codecs';

export interface RtpFormat {
  /** The static one. */
  readonly payloadType: number;
  readonly clockRateHz: number;
}

export const RTP_FORMATS: Readonly<Record<AudioCodec, RtpFormat>> = {
  PCMU: { payloadType: 0, clockRateHz: 8000 },
  PCMA: { payloadType: 8, clockRateHz: 8000 },
};

const STATIC_TYPES: ReadonlyMap<number, AudioCodec> = new Map(
  (Object.keys(RTP_FORMATS) as AudioCodec[]).map((name) => [RTP_FORMATS[name].payloadType, name]),
);

/** What a payload type means that nobody gave a meaning; null where it has none, or one that we do not speak. */
export function codecOfStaticType(payloadType: number): AudioCodec | null {
  return STATIC_TYPES.get(payloadType) ?? null;
}
