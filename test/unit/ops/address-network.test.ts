import fc from 'fast-check';

import { NetworkMap, parseNetwork } from '../../../ops/address-network';

const textOf = (text: string): string | undefined => parseNetwork(text)?.text;

describe('a network', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    [' 192.0.2.77/24 ', '192.0.2.0/24'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['2001:db8:1:2:3:4:5:6/48', '2001:db8:1::/48'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::ffff:c000:201/120', '192.0.2.0/24'],
  ])('%s is %s', (text, canonical) => {
    expect(textOf(text)).toBe(canonical);
    expect(textOf(canonical)).toBe(canonical);
  });

  it.each([
    '',
    '192.0.2',
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/-1',
    '192.0.2.1/24/8',
    '192.0.2.1/2 4',
    '192.0.2.01',
    '2001:db8::/129',
    'fe80::1%eth0',
    '::ffff:192.0.2.1/95',
    'sip.example.com',
    '192.0.2.0/255.255.255.0',
  ])('is not what %j is', (text) => {
    expect(parseNetwork(text)).toBeNull();
  });

  it('never throws, whatever it is given, and stays what it is when read again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), fc.integer({ min: -1, max: 140 }), (text, n) => {
        for (const network of [parseNetwork(text), parseNetwork(`${text}/${n}`)]) {
          if (network !== null) expect(parseNetwork(network.text)).toEqual(network);
        }
      }),
    );
  });
});

describe('what is known of addresses by their networks', () => {
  const map = (networks: Readonly<Record<string, string>>): NetworkMap<string> => {
    const made = new NetworkMap<string>();
    for (const [text, value] of Object.entries(networks)) made.set(parseNetwork(text)!, value);
    return made;
  };

  it('is what the narrowest of them says', () => {
    const known = map({ '192.0.2.0/24': 'net', '192.0.2.7': 'one', '2001:db8::/32': 'six' });
    expect(
      ['192.0.2.6', '192.0.2.7', '::ffff:192.0.2.7', '192.0.3.7', '2001:db8:f::1'].map((a) => known.get(a)),
    ).toEqual(['net', 'one', 'one', undefined, 'six']);
    known.delete(parseNetwork('192.0.2.7')!);
    expect(known.get('192.0.2.7')).toBe('net');
    expect([known.get(''), known.get('nobody')]).toEqual([undefined, undefined]);
  });

  it('holds IPv4 and IPv6 apart', () => {
    expect(map({ '::/0': 'six' }).get('192.0.2.1')).toBeUndefined();
    expect(map({ '0.0.0.0/0': 'four' }).get('::1')).toBeUndefined();
  });

  it('is known of exactly the addresses that begin as the network does', () => {
    const bits = (address: string): string =>
      address
        .split('.')
        .map((part) => Number(part).toString(2).padStart(8, '0'))
        .join('');
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (network, prefix, address) => {
        const inside = bits(network).slice(0, prefix) === bits(address).slice(0, prefix);
        expect(map({ [`${network}/${prefix}`]: 'in' }).get(address)).toBe(inside ? 'in' : undefined);
      }),
    );
  });
});
