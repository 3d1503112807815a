/**
 * All that the rest knows of a codec. One object serves one session, both ways: what a codec remembers is its stream's.
 *
 * Places in a payload and in a frame are counted in ticks of the RTP clock, which need not be samples (RFC 3551 §4.5.2): tick
 * `t` of a frame is its sample ⌊t · frameSamples / frameTicks⌋.
 */
import type { AudioCodec } from '../../contract/audio-codecs';
import { G711Codec } from './g711-codec';

export interface Codec {
  /** As SDP has it. */
  readonly name: AudioCodec;
  /** What RTP timestamps count. */
  readonly clockRateHz: number;
  /** Of the audio that it takes and gives. */
  readonly sampleRateHz: number;
  /** Of one frame of 20 ms. */
  readonly frameTicks: number;
  readonly frameSamples: number;
  readonly frameBytes: number;
  /** Bpl of ITU-T G.113, as its losses are concealed here: the more, the less a lost packet is heard. */
  readonly packetLossRobustness: number;
  /** How long a payload lasts. */
  ticksOf(payloadBytes: number): number;
  /** `ticks` of a payload, from its tick `from` on, into the frame `out` at its tick `at`; after a gap blended with what filled it. */
  decode(payload: Uint8Array, from: number, ticks: number, out: Int16Array, at: number): void;
  /** Fills the ticks `from` to `to` of the frame `out`, which did not come, with what was to be expected after what did. */
  conceal(out: Int16Array, from: number, to: number): void;
  /** One frame, as `frameBytes` of `out` from `at` on. */
  encode(pcm: Int16Array, out: Uint8Array, at: number): void;
  /** The same of a frame in which nothing is said. */
  encodeSilence(out: Uint8Array, at: number): void;
  /** What is decoded next is another stream. */
  reset(): void;
}

const CODECS: Readonly<Record<AudioCodec, () => Codec>> = {
  PCMU: () => new G711Codec('PCMU'),
  PCMA: () => new G711Codec('PCMA'),
};

export function createCodec(name: AudioCodec): Codec {
  return CODECS[name]();
}
