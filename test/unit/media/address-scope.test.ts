import { addressScope, canonicalAddress, isUnspecified, mayReach } from '../../../media/address-scope';

describe('scope of an address', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.0.1', 'public'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['169.254.169.254', 'link'],
    ['127.1.2.3', 'loopback'],
    ['0.0.0.0', 'unusable'],
    ['224.0.1.75', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['2001:db8::1', 'public'],
    ['fd00::1', 'private'],
    ['fe80::1', 'link'],
    ['::1', 'loopback'],
    ['ff02::1', 'unusable'],
    ['pbx.example', 'unusable'],
  ])('%s is %s', (address, scope) => expect(addressScope(address)).toBe(scope));

  it.each([
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['0000::0001', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:10.0.0.1', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    ['::127.0.0.1', 'unusable'],
  ])('is not hidden by the spelling %s', (address, scope) => expect(addressScope(address)).toBe(scope));
});

describe('mayReach', () => {
  it.each([
    ['203.0.113.5', '198.51.100.7', true],
    ['203.0.113.5', '127.0.0.1', true],
    ['10.1.2.3', '192.168.1.9', true],
    ['10.1.2.3', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', true],
    ['10.1.2.3', '198.51.100.7', false],
    ['169.254.169.254', '198.51.100.7', false],
    ['169.254.169.254', '10.1.2.3', false],
    ['127.0.0.1', '198.51.100.7', false],
    ['127.0.0.1', '10.1.2.3', false],
    ['224.0.1.75', '224.0.1.75', false],
    ['::1', '2001:db8::7', false],
    ['fd00::1', '2001:db8::7', false],
    ['2001:db8::1', '2001:db8::7', true],
    ['::ffff:127.0.0.1', '198.51.100.7', false],
    ['internal.example', '198.51.100.7', false],
    ['10.1.2.3', 'pbx.example', false],
  ])('%s for a peer at %s: %p', (address, peer, allowed) => expect(mayReach(address, peer)).toBe(allowed));
});

it('spells addresses as sockets do', () => {
  expect(canonicalAddress('2001:DB8:0::1')).toBe('2001:db8::1');
  expect(canonicalAddress('192.0.2.1')).toBe('192.0.2.1');
});

it('knows the wildcards', () => {
  expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '192.0.2.1', '::1'].map(isUnspecified)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
