/** Offers and answers for audio calls: our codecs and telephone-event over RTP in the clear (RFC 3264). Pure functions. */
import { AUDIO_CODECS } from '../../contract/audio-codecs';
import { RTP_FORMATS } from '../codec/rtp-format';
import type { LocalAudio } from './audio-stream';
import { answerDirection, chooseAudio, isTelephoneEvent, remoteAudio, telephoneEventOf } from './negotiation';
import type { AudioChoice, Reach } from './negotiation';
import { refuse } from './sdp-result';
import type { AnswerResult, ReadAnswerResult, SdpRefusal } from './sdp-result';
import { PLAIN_RTP, readSessionDescription } from './session-description';
import type { MediaSection, ReadDescription } from './session-description';
import { audioSection, rejectedSection, writeSession } from './session-writer';
import type { LocalFormat } from './session-writer';

const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;
/** The sixteen DTMF events. */
const TELEPHONE_EVENTS = '0-15';
const PTIME_MS = 20;

/**
 * Our answer to a peer's offer, read before or not. It names one codec: the best of ours, else the first of the offer that is
 * ours.
 */
export function answerOffer(offer: string | ReadDescription, local: LocalAudio): AnswerResult {
  const read = typeof offer === 'string' ? readSessionDescription(offer) : offer;
  if (!read.ok) return read;
  const { media, timing } = read.description;
  const choice = chooseAudio(media, local);
  if (!choice.ok) return choice;
  const remote = remoteAudio(choice);
  const formats: LocalFormat[] = [
    { payloadType: choice.payloadType, encoding: choice.codec, clockRateHz: RTP_FORMATS[choice.codec].clockRateHz },
  ];
  if (choice.telephoneEvent !== null) formats.push(telephoneEvent(choice.telephoneEvent));
  const direction = answerDirection(remote, local.direction ?? 'sendrecv');
  const lines = media.map((section, index) =>
    index === choice.index
      ? audioSection(local.port, section.protocol, formats, PTIME_MS, direction)
      : rejected(section),
  );
  return { ok: true, sdp: writeSession(local, timing, lines), remote };
}

/**
 * Our offer: for our INVITE, a re-INVITE of ours, or the 2xx to an INVITE without one. `previous` is our last SDP of the
 * dialog: a later offer keeps its m= lines in their places and its dynamic payload types (RFC 3264 §8).
 */
export function createOffer(local: LocalAudio, previous: string | null = null): string {
  const earlier = previous === null ? null : readSessionDescription(previous);
  const sections = earlier?.ok === true ? earlier.description.media : [];
  const active = sections.findIndex((section) => section.media === 'audio' && section.port !== 0);
  const codecs = (local.codecs ?? AUDIO_CODECS).map((codec) => ({ ...RTP_FORMATS[codec], encoding: codec }));
  const formats = [...codecs, ...offeredEvents(codecs, sections[active])];
  const protocol = sections[active]?.protocol ?? PLAIN_RTP;
  const audio = audioSection(local.port, protocol, formats, PTIME_MS, local.direction ?? 'sendrecv');
  const lines = active < 0 ? [audio] : sections.map((section, i) => (i === active ? audio : rejected(section)));
  return writeSession(local, '0 0', lines);
}

/**
 * The peer's answer to our offer `offer`: its m= line in the place of our audio one (RFC 3264 §6). We offer one stream
 * only, so where that line is not it, any usable audio can but be the answer.
 */
export function readAnswer(answer: string, local: Reach, offer: string | null = null): ReadAnswerResult {
  const read = readSessionDescription(answer);
  if (!read.ok) return read;
  const offered = offer === null ? null : readSessionDescription(offer);
  const sections = offered?.ok === true ? offered.description.media : [];
  const index = sections.length === 0 ? 0 : sections.findIndex(({ port }) => port !== 0);
  const ours = sections[index];
  const accepted = (choice: AudioChoice & { ok: true }): ReadAnswerResult => {
    const clockRateHz = choice.telephoneEvent?.clockRateHz ?? RTP_FORMATS[choice.codec].clockRateHz;
    return { ok: true, remote: remoteAudio(choice, ours === undefined ? null : telephoneEventOf(ours, clockRateHz)) };
  };
  const { media } = read.description;
  const section = media[index];
  const choice = section?.media === 'audio' ? chooseAudio([section], local, 'theirs') : noAudioAt(index);
  if (choice.ok) return accepted(choice);
  const elsewhere = chooseAudio(media, local, 'theirs');
  return elsewhere.ok ? accepted(elsewhere) : choice;
}

function noAudioAt(index: number): SdpRefusal {
  return refuse('mismatch', `m= line ${index + 1} is not the one of our audio`);
}

/** Those of `before`, by their numbers, and one for each clock of the audio that has none yet (RFC 4733 §2.1). */
function offeredEvents(audio: readonly LocalFormat[], before: MediaSection | undefined): LocalFormat[] {
  const events = before?.formats.filter(isTelephoneEvent) ?? [];
  const taken = new Set([...audio, ...(before?.formats ?? [])].map(({ payloadType }) => payloadType));
  const added: Pick<LocalFormat, 'payloadType' | 'clockRateHz'>[] = [];
  let free = TELEPHONE_EVENT_PAYLOAD_TYPE;
  for (const clockRateHz of new Set(audio.map((format) => format.clockRateHz))) {
    if (events.some((event) => event.clockRateHz === clockRateHz)) continue;
    while (taken.has(free)) free++;
    added.push({ payloadType: free++, clockRateHz });
  }
  return [...events, ...added].map(telephoneEvent);
}

function telephoneEvent({ payloadType, clockRateHz }: Pick<LocalFormat, 'payloadType' | 'clockRateHz'>): LocalFormat {
  return { payloadType, encoding: 'telephone-event', clockRateHz, parameters: TELEPHONE_EVENTS };
}

function rejected({ media, protocol, formatList }: MediaSection): string {
  return rejectedSection(media, protocol, formatList);
}
