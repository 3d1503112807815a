/** Choosing one audio stream and its codec out of a peer's SDP: the rules of RFC 3264 that offer and answer share. */
import { isIPv4, isIPv6 } from 'node:net';
import { addressScope, isUnspecified } from '../../ops/address-scope';
import { AUDIO_CODECS } from '../../contract/audio-codecs';
import type { AudioCodec } from '../../contract/audio-codecs';
import { RTP_FORMATS } from '../codec/rtp-format';
import type { Direction, LocalAudio, RemoteAudio } from './audio-stream';
import { refuse } from './sdp-result';
import type { SdpRefusal } from './sdp-result';
import { RTP_PROFILES } from './session-description';
import type { MediaSection, OfferedFormat } from './session-description';

/** Before there were other clocks, so that some name no other beside them. */
const USUAL_EVENT_CLOCK_RATE_HZ = 8000;
const IPV4_MAPPED = /^::ffff:(?=\d+\.)/i;

/** Our side, as far as it decides what of the peer's we can use. */
export type Reach = Pick<LocalAudio, 'localAddress' | 'signallingAddress' | 'codecs'>;

/** Whose preference decides between codecs that both have: an answer's is its writer's (RFC 3264 §7). */
type CodecOrder = 'ours' | 'theirs';

export type AudioChoice =
  | {
      readonly ok: true;
      /** Index of its m= line. */
      readonly index: number;
      readonly section: MediaSection;
      readonly codec: AudioCodec;
      readonly payloadType: number;
      readonly telephoneEvent: OfferedFormat | null;
      readonly address: string;
    }
  | SdpRefusal;

/** First audio stream that can be used, with its codec that suits us best; else what the first audio stream lacked. */
export function chooseAudio(media: readonly MediaSection[], reach: Reach, order: CodecOrder = 'ours'): AudioChoice {
  let refusal: SdpRefusal | null = null;
  for (const [index, section] of media.entries()) {
    if (section.media !== 'audio' || section.port === 0) continue;
    const choice = chooseOf(section, index, reach, order);
    if (choice.ok) return choice;
    refusal ??= choice;
  }
  return refusal ?? refuse('no_audio', 'no audio stream');
}

/** `localEvent`: telephone-event of our SDP; in our answer it is the offer's. */
export function remoteAudio(
  choice: AudioChoice & { ok: true },
  localEvent: OfferedFormat | null = choice.telephoneEvent,
): RemoteAudio {
  const { section, address, telephoneEvent } = choice;
  const held = isUnspecified(address);
  return {
    address,
    port: section.port,
    rtcpPort: section.rtcpPort,
    codec: choice.codec,
    payloadType: choice.payloadType,
    telephoneEventPayloadType: telephoneEvent?.payloadType ?? null,
    localTelephoneEventPayloadType: localEvent?.payloadType ?? null,
    telephoneEventClockRateHz: (telephoneEvent ?? localEvent)?.clockRateHz ?? RTP_FORMATS[choice.codec].clockRateHz,
    send: !held && (section.direction === 'sendrecv' || section.direction === 'recvonly'),
    receive: section.direction === 'sendrecv' || section.direction === 'sendonly',
  };
}

/** Direction of our answer: the mirror of the offer, narrowed by what we want (RFC 3264 §6.1). */
export function answerDirection(remote: Pick<RemoteAudio, 'send' | 'receive'>, wanted: Direction): Direction {
  const send = remote.send && (wanted === 'sendrecv' || wanted === 'sendonly');
  const receive = remote.receive && (wanted === 'sendrecv' || wanted === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** That of the clock of the audio beside it (RFC 4733 §2.1), else of the usual one. */
export function telephoneEventOf({ formats }: MediaSection, audioClockRateHz: number): OfferedFormat | null {
  const events = formats.filter(isTelephoneEvent);
  const ofClock = (rateHz: number): OfferedFormat | undefined =>
    events.find(({ clockRateHz }) => clockRateHz === rateHz);
  return ofClock(audioClockRateHz) ?? ofClock(USUAL_EVENT_CLOCK_RATE_HZ) ?? null;
}

export function isTelephoneEvent({ encoding }: OfferedFormat): boolean {
  return encoding === 'TELEPHONE-EVENT';
}

function chooseOf(section: MediaSection, index: number, reach: Reach, order: CodecOrder): AudioChoice {
  if (!RTP_PROFILES.has(section.protocol)) return refuse('transport', section.protocol);
  const chosen = formatOf(section, reach.codecs ?? null, order);
  if (chosen === null) return refuse('codec', 'no codec in common');
  const { format, codec } = chosen;
  const address = addressOf(section, reach);
  if (address === null) return refuse('address', 'no literal address');
  if (!usable(address, reach.localAddress)) return refuse('address', 'address cannot be used');
  return {
    ok: true,
    index,
    section,
    codec,
    payloadType: format.payloadType,
    telephoneEvent: telephoneEventOf(section, format.clockRateHz),
    address,
  };
}

/**
 * A host name is not resolved: while a call is set up nobody waits for a name server. Its packets are expected from
 * where its signalling comes, which is right for every phone and gateway that handles its own media.
 */
function addressOf({ address, named }: MediaSection, { localAddress, signallingAddress = null }: Reach): string | null {
  const found = address ?? (named ? signallingAddress : null);
  return found !== null && isIPv4(localAddress) ? found.replace(IPV4_MAPPED, '') : found;
}

/** In our order of codecs where we have one, else in the peer's. */
function formatOf(
  { formats }: MediaSection,
  codecs: readonly AudioCodec[] | null,
  order: CodecOrder,
): { readonly format: OfferedFormat; readonly codec: AudioCodec } | null {
  const ours = formats.flatMap((format) => {
    const codec = codecOf(format);
    return codec === null || codecs?.includes(codec) === false ? [] : [{ format, codec }];
  });
  if (codecs === null || order === 'theirs') return ours[0] ?? null;
  for (const wanted of codecs) {
    const found = ours.find(({ codec }) => codec === wanted);
    if (found !== undefined) return found;
  }
  return null;
}

/** Which of ours it is; null when none. */
export function codecOf({ encoding, clockRateHz, channels }: OfferedFormat): AudioCodec | null {
  const codec = channels === 1 ? AUDIO_CODECS.find((name) => name === encoding) : undefined;
  return codec !== undefined && RTP_FORMATS[codec].clockRateHz === clockRateHz ? codec : null;
}

function usable(address: string, localAddress: string): boolean {
  if (isUnspecified(address)) return true;
  if (isIPv4(localAddress) && !isIPv4(address)) return false;
  if (isIPv6(localAddress) && !isIPv6(address)) return false;
  return addressScope(address) !== 'unusable';
}
