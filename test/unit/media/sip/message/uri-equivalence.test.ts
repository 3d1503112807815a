import { isServerOf, sameUri } from '../../../../../media/sip/message/uri-equivalence';

describe('two URIs', () => {
  it.each([
    // RFC 3261 §19.1.4.
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['SIP:+15551234567@[2001:DB8::1]:5060', 'sip:+15551234567@[2001:db8::1]:5060'],
    ['sip:a%2fb@h', 'sip:a%2Fb@h'],
    ['sip:%2b1555@h', 'sip:+1555@h'],
    ['sip:a:p%61ss@h', 'sip:a:pass@h'],
    ['not a URI', 'not a URI'],
  ])('%s and %s are the same', (one, other) => {
    expect([sameUri(one, other), sameUri(other, one)]).toEqual([true, true]);
  });

  it.each([
    // RFC 3261 §19.1.4.
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@h', 'sips:a@h'],
    ['sip:a@h', 'sip:a:pw@h'],
    ['sip:a@h;user=phone', 'sip:a@h'],
    ['sip:a@h;maddr=192.0.2.1', 'sip:a@h'],
    ['sip:a%2fb@h', 'sip:a/b@h'],
    ['sip:a@h?x=1', 'sip:a@h?x=2'],
    ['sip:a@h', 'sip:h'],
    ['not a URI', 'sip:a@h'],
  ])('%s and %s are not', (one, other) => {
    expect([sameUri(one, other), sameUri(other, one)]).toEqual([false, false]);
  });
});

describe('a URI without a user part', () => {
  it.each([
    ['sip:192.0.2.1:5060', true],
    ['sip:192.0.2.1:5060;transport=tcp', true],
    ['sip:192.0.2.1', false],
    ['sip:192.0.2.2:5060', false],
    ['sips:192.0.2.1:5060', false],
    ['sip:2@192.0.2.1:5060', false],
    ['192.0.2.1:5060', false],
  ])('%s names the server of sip:1@192.0.2.1:5060: %s', (uri, expected) => {
    expect(isServerOf(uri, 'sip:1@192.0.2.1:5060')).toBe(expected);
  });
});
