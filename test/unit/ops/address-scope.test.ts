import fc from 'fast-check';

import { addressScope, canonicalAddress, isUnspecified, mayReach, userNetwork } from '../../../ops/address-scope';

describe('scope of an address', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.0.1', 'public'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['198.18.0.1', 'private'],
    ['198.19.255.255', 'private'],
    ['198.20.0.1', 'public'],
    ['192.0.0.192', 'unusable'],
    ['192.0.1.1', 'public'],
    ['169.254.169.254', 'link'],
    ['127.1.2.3', 'loopback'],
    ['0.0.0.0', 'unusable'],
    ['224.0.1.75', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['2606:4700::1111', 'public'],
    ['192.0.2.1', 'documentation'],
    ['192.0.3.1', 'public'],
    ['198.51.100.255', 'documentation'],
    ['198.51.101.0', 'public'],
    ['203.0.113.10', 'documentation'],
    ['203.0.112.255', 'public'],
    ['2001:db8::1', 'documentation'],
    ['2001:db7:ffff::1', 'public'],
    ['3fff::1', 'documentation'],
    ['3fff:fff:ffff::1', 'documentation'],
    ['3fff:1000::1', 'public'],
    ['fd00::1', 'private'],
    ['fe80::1', 'link'],
    ['::1', 'loopback'],
    ['ff02::1', 'unusable'],
    ['fec0::1', 'private'],
    ['64:ff9b:1::a00:1', 'private'],
    ['100::1', 'unusable'],
    ['2001:0:4136:e378::1', 'unusable'],
    ['2001:1::1', 'public'],
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
    ['::ffff:0:127.0.0.1', 'unusable'],
    ['64:ff9b::169.254.169.254', 'link'],
    ['64:ff9b::a9fe:a9fe', 'link'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['2002:a00:1::1', 'private'],
    ['2002:808:808::1', 'public'],
    ['::ffff:203.0.113.5', 'documentation'],
    ['64:ff9b::c000:201', 'documentation'],
    ['2002:c633:6401::1', 'documentation'],
    ['fe80::1%eth0', 'link'],
  ])('is not hidden by the spelling %s', (address, scope) => expect(addressScope(address)).toBe(scope));

  it('is that of the IPv4 address within an IPv6 one', () => {
    const octet = fc.nat(255);
    const first = fc.oneof(octet, fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224));
    const second = fc.oneof(octet, fc.constantFrom(0, 16, 18, 51, 64, 168, 254));
    const third = fc.oneof(octet, fc.constantFrom(2, 100, 113));
    fc.assert(
      fc.property(fc.tuple(first, second, third, octet), (octets) => {
        const [a, b, c, d] = octets;
        const scope = addressScope(octets.join('.'));
        const high = ((a << 8) | b).toString(16);
        const low = ((c << 8) | d).toString(16);
        const within = [`::ffff:${high}:${low}`, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`];
        expect(within.map(addressScope)).toEqual([scope, scope, scope]);
      }),
    );
  });
});

describe('mayReach', () => {
  it.each([
    ['8.8.8.8', '9.9.9.9', true],
    ['8.8.8.8', '127.0.0.1', true],
    ['203.0.113.5', '198.51.100.7', true],
    ['203.0.113.5', '127.0.0.1', true],
    ['203.0.113.5', '8.8.8.8', true],
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
  ])('%s for a peer at %s: %p', (address, peer, allowed) => expect(mayReach(address, peer, true)).toBe(allowed));

  it.each([
    ['8.8.8.8', '9.9.9.9', true],
    ['8.8.8.8', '172.17.0.1', true],
    ['203.0.113.5', '198.51.100.7', false],
    ['203.0.113.5', '172.17.0.1', false],
    ['203.0.113.5', '203.0.113.5', true],
    ['2001:db8::1', '2606:4700::1111', false],
    ['192.168.1.9', '192.168.1.9', true],
    ['192.168.1.8', '192.168.1.9', false],
    ['10.1.2.3', '127.0.0.1', false],
    ['127.0.0.2', '127.0.0.1', false],
    ['169.254.169.254', '169.254.1.1', false],
    ['fd00:ec2::254', 'fd00::2', false],
    ['224.0.1.75', '224.0.1.75', false],
  ])('%s for a peer at %s where private targets are not allowed: %p', (address, peer, allowed) =>
    expect(mayReach(address, peer, false)).toBe(allowed),
  );
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

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff::2', '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
])('of %s one user has %s', (address, network) => expect(userNetwork(address)).toBe(network));
