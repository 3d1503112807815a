import { AUDIO_CODECS } from '../../../contract/audio-codecs';
import { addressScope, isUnspecified, type AddressScope } from '../../../ops/address-scope';
import { codecOf } from '../../sdp/negotiation';
import { readSessionDescription, RTP_PROFILES } from '../../sdp/session-description';

/** What a peer's SDP says of audio, whether or not the stream is open: an answer to OPTIONS has none that is. */
export interface SeenMedia {
  /** In its order; a payload type without a name as its number. */
  readonly codecs: readonly string[];
  /** Of these what we have. */
  readonly common: readonly string[];
  /** Audio over plain RTP. */
  readonly plain: boolean;
  /** Literal, and more than a placeholder. */
  readonly addresses: readonly string[];
}

/** Null for what is no SDP, or has no audio. */
export function seenMedia(sdp: string): SeenMedia | null {
  const read = readSessionDescription(sdp);
  const audio = read.ok ? read.description.media.filter(({ media }) => media === 'audio') : [];
  if (audio.length === 0) return null;
  const plain = audio.filter(({ protocol }) => RTP_PROFILES.has(protocol));
  const formats = audio.flatMap((section) => section.formats);
  const names = formats.map(({ encoding, payloadType }) => encoding || String(payloadType));
  const ours = plain.flatMap((section) => section.formats.map(codecOf));
  const common = AUDIO_CODECS.filter((codec) => ours.includes(codec));
  const addresses = audio.flatMap(({ address }) => (address === null || isUnspecified(address) ? [] : [address]));
  return {
    codecs: [...new Set(names)].filter((name) => name !== 'TELEPHONE-EVENT' && name !== 'CN'),
    common,
    plain: plain.length > 0,
    addresses: [...new Set(addresses)],
  };
}

/**
 * Why audio sent to this address of an SDP goes nowhere, seen from the network that its signalling comes from; null when
 * it does not. An address of documentation stands for one of the Internet, as it does elsewhere.
 */
export function unroutable(address: string, peer: string): AddressScope | null {
  const scope = addressScope(address);
  if (scope === 'public' || scope === 'documentation' || address === peer) return null;
  return scope === addressScope(peer) ? null : scope;
}
