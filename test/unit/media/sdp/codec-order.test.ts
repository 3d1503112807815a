import { answerOffer, createOffer, readAnswer } from '../../../../media/sdp/offer-answer';

const LOCAL = { localAddress: '192.0.2.1', port: 20_000, sessionId: '1', version: 1 } as const;

const sdp = (formats: string): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0', `m=audio 4000 RTP/AVP ${formats}`, ''].join(
    '\r\n',
  );

describe('the order of codecs of a trunk', () => {
  it.each([
    [null, '0 8 101'],
    [['PCMA', 'PCMU'], '8 0 101'],
    [['PCMA'], '8 101'],
  ] as const)('%j offers %s', (codecs, formats) => {
    expect(createOffer({ ...LOCAL, codecs })).toContain(`m=audio 20000 RTP/AVP ${formats}\r\n`);
  });

  it.each([
    [null, '8 0', 'PCMA'],
    [['PCMU', 'PCMA'], '8 0', 'PCMU'],
    [['PCMA', 'PCMU'], '0 8', 'PCMA'],
    [['PCMA', 'PCMU'], '0', 'PCMU'],
  ] as const)('%j answers an offer of %s with %s', (codecs, formats, codec) => {
    expect(answerOffer(sdp(formats), { ...LOCAL, codecs })).toMatchObject({ ok: true, remote: { codec } });
  });

  it('takes an answer in the order of who wrote it, but no codec that was not offered', () => {
    const local = { ...LOCAL, codecs: ['PCMA', 'PCMU'] } as const;
    expect(readAnswer(sdp('0 8'), local, createOffer(local))).toMatchObject({ ok: true, remote: { codec: 'PCMU' } });
    const alone = { ...LOCAL, codecs: ['PCMA'] } as const;
    expect(readAnswer(sdp('0'), alone, createOffer(alone))).toMatchObject({ ok: false, fault: 'codec' });
    expect(answerOffer(sdp('0'), alone)).toMatchObject({ ok: false, fault: 'codec' });
  });
});
