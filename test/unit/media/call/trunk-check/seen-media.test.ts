import fc from 'fast-check';

import { seenMedia, unroutable } from '../../../../../media/call/trunk-check/seen-media';

const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines, ''].join('\r\n');

describe('what an SDP says of audio', () => {
  it.each([
    ['in its own order', ['c=IN IP4 192.0.2.1', 'm=audio 0 RTP/AVP 18 8 101'], ['G729', 'PCMA', '101'], ['PCMA'], true],
    ['with feedback by RTCP', ['m=audio 4000 RTP/AVPF 0'], ['PCMU'], ['PCMU'], true],
    ['of SRTP alone', ['c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/SAVP 0'], ['PCMU'], [], false],
    ['of PCMU at another rate', ['m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 PCMU/16000'], ['PCMU'], [], true],
  ])('%s', (_, lines, codecs, common, plain) => {
    expect(seenMedia(sdp(...lines))).toMatchObject({ codecs, common, plain });
  });

  it('has the addresses of its audio without placeholders, each once', () => {
    const text = sdp(
      'c=IN IP4 192.0.2.9',
      'm=audio 1 RTP/AVP 0',
      'm=audio 2 RTP/AVP 0',
      'm=audio 3 RTP/AVP 0',
      'c=IN IP4 0.0.0.0',
      'm=video 4 RTP/AVP 99',
      'c=IN IP4 192.0.2.77',
    );
    expect(seenMedia(text)?.addresses).toEqual(['192.0.2.9']);
  });

  it.each(['', 'hello', sdp('m=video 1 RTP/AVP 99')])('is nothing without audio: %j', (text) => {
    expect(seenMedia(text)).toBeNull();
  });

  it('never throws, whatever a peer sends', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (noise) => {
        seenMedia(sdp('m=audio 0 RTP/AVP 0', noise));
        seenMedia(noise);
      }),
    );
  });
});

describe('an address of an SDP', () => {
  it.each([
    ['203.0.113.7', '203.0.113.8', null],
    ['8.8.8.8', '9.9.9.9', null],
    ['10.0.0.5', '203.0.113.8', 'private'],
    ['10.0.0.5', '10.9.9.9', null],
    ['10.0.0.5', '127.0.0.1', 'private'],
    ['10.0.0.5', '10.0.0.5', null],
    ['127.0.0.1', '8.8.8.8', 'loopback'],
    ['169.254.3.4', '8.8.8.8', 'link'],
    ['240.0.0.1', '8.8.8.8', 'unusable'],
    ['fd00::1', '2600::1', 'private'],
  ])('%s, signalled from %s: %s', (address, peer, expected) => {
    expect(unroutable(address, peer)).toBe(expected);
  });
});
