import { maySendTo } from '../../../../media/rtp/media-destination';

describe('maySendTo', () => {
  test.each([
    ['203.0.113.5', '198.51.100.7', true],
    ['203.0.113.5', '127.0.0.1', true],
    ['10.1.2.3', '192.168.1.9', true],
    ['10.1.2.3', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', true],
    ['10.1.2.3', '198.51.100.7', false],
    ['169.254.169.254', '198.51.100.7', false],
    ['127.0.0.1', '198.51.100.7', false],
    ['127.0.0.1', '10.1.2.3', false],
    ['::1', '2001:db8::7', false],
    ['fd00::1', '2001:db8::7', false],
    ['2001:db8::1', '2001:db8::7', true],
    ['::ffff:127.0.0.1', '198.51.100.7', false],
    ['internal.example', '198.51.100.7', false],
    ['10.1.2.3', 'pbx.example', false],
  ])('to %s for a peer that signals from %s: %p', (address, signallingAddress, allowed) => {
    expect(maySendTo(address, signallingAddress)).toBe(allowed);
  });
});
