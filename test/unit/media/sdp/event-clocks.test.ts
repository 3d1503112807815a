import { AUDIO_CODECS } from '../../../../contract/audio-codecs';
import type { AudioCodec } from '../../../../contract/audio-codecs';
import { RTP_FORMATS } from '../../../../media/codec/rtp-format';
import type { RtpFormat } from '../../../../media/codec/rtp-format';
import type { LocalAudio, RemoteAudio } from '../../../../media/sdp/audio-stream';
import { answerOffer, createOffer, readAnswer } from '../../../../media/sdp/offer-answer';

/** One of another clock beside ours, as long as there is none. */
const WIDE = 'WIDE' as AudioCodec;
const LOCAL: LocalAudio = { localAddress: '198.51.100.1', port: 20_000, sessionId: '1', version: 1 };

beforeAll(() => {
  (AUDIO_CODECS as unknown as AudioCodec[]).unshift(WIDE);
  (RTP_FORMATS as Record<AudioCodec, RtpFormat>)[WIDE] = { payloadType: 111, clockRateHz: 48_000 };
});

const sdp = (...media: readonly string[]): string =>
  `${['v=0', 'o=- 1 1 IN IP4 192.0.2.10', 's=-', 'c=IN IP4 192.0.2.10', 't=0 0', ...media].join('\r\n')}\r\n`;

const formatsOf = (text: string): string[] =>
  text.split('\r\n').filter((line) => /^(?:m=|a=rtpmap)/.test(line) && !line.includes('/8000/'));

function remoteOf(result: { readonly ok: boolean; readonly remote?: RemoteAudio }): RemoteAudio {
  if (result.remote === undefined) throw new Error('refused');
  return result.remote;
}

describe('telephone-event beside codecs of several clocks', () => {
  it('is offered once for each clock, and keeps its numbers', () => {
    const offer = createOffer(LOCAL);
    const expected = [
      'm=audio 20000 RTP/AVP 111 0 8 101 102',
      'a=rtpmap:111 WIDE/48000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/48000',
      'a=rtpmap:102 telephone-event/8000',
    ];
    expect(formatsOf(offer)).toEqual(expected);
    expect(formatsOf(createOffer(LOCAL, offer))).toEqual(expected);
  });

  it('stays where it was agreed on in another clock than that of the codecs', () => {
    const previous = sdp('m=audio 4000 RTP/AVP 111 97', 'a=rtpmap:111 WIDE/48000', 'a=rtpmap:97 telephone-event/8000');
    expect(formatsOf(createOffer({ ...LOCAL, codecs: [WIDE] }, previous)).slice(-2)).toEqual([
      'a=rtpmap:97 telephone-event/8000',
      'a=rtpmap:101 telephone-event/48000',
    ]);
  });

  it('takes no number that is another format’s', () => {
    const previous = sdp(
      'm=audio 4000 RTP/AVP 101 102',
      'a=rtpmap:101 WIDE/48000',
      'a=rtpmap:102 telephone-event/8000',
    );
    expect(formatsOf(createOffer(LOCAL, previous)).slice(-2)).toEqual([
      'a=rtpmap:102 telephone-event/8000',
      'a=rtpmap:103 telephone-event/48000',
    ]);
  });

  test.each([
    ['the wide one', ['m=audio 4000 RTP/AVP 111 96', 'a=rtpmap:111 WIDE/48000'], 48_000, 96, 101],
    ['a narrow one', ['m=audio 4000 RTP/AVP 0 96'], 8000, 96, 102],
  ])('is read from an answer in the clock of the codec that was chosen: %s', (_, lines, clockRateHz, theirs, ours) => {
    const answer = sdp(...lines, `a=rtpmap:96 telephone-event/${clockRateHz}`);
    expect(remoteOf(readAnswer(answer, LOCAL, createOffer(LOCAL)))).toMatchObject({
      telephoneEventPayloadType: theirs,
      localTelephoneEventPayloadType: ours,
      telephoneEventClockRateHz: clockRateHz,
    });
    // Without it ours still has its number and clock.
    expect(remoteOf(readAnswer(sdp(...lines), LOCAL, createOffer(LOCAL)))).toMatchObject({
      telephoneEventPayloadType: null,
      localTelephoneEventPayloadType: ours,
      telephoneEventClockRateHz: clockRateHz,
    });
  });

  test.each([
    ['its clock', ['100 telephone-event/8000', '101 telephone-event/48000'], 101, 48_000],
    ['the usual clock, where it is the only one', ['100 telephone-event/8000'], 100, 8000],
    ['no other clock', ['100 telephone-event/16000'], null, 48_000],
  ])('is answered in %s', (_, events, payloadType, clockRateHz) => {
    const maps = events.map((event) => `a=rtpmap:${event}`);
    const result = answerOffer(sdp('m=audio 4000 RTP/AVP 111 100 101', 'a=rtpmap:111 WIDE/48000', ...maps), LOCAL);
    expect(remoteOf(result)).toMatchObject({
      codec: WIDE,
      telephoneEventPayloadType: payloadType,
      localTelephoneEventPayloadType: payloadType,
      telephoneEventClockRateHz: clockRateHz,
    });
    const answered = result.ok ? formatsOf(result.sdp).filter((line) => line.includes('telephone-event')) : [];
    expect(answered).toEqual(payloadType === null ? [] : [`a=rtpmap:${payloadType} telephone-event/${clockRateHz}`]);
  });
});
