import fc from 'fast-check';

import { assertTargetHost, assertTargetUrl } from '../../../api/target-url';

function refuses(host: string): boolean {
  try {
    assertTargetHost('host', host, false);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ status: 422, code: 'private_target' });
    return true;
  }
}

describe('a target that must be public', () => {
  const local = 'localhost api.localhost. 127.0.0.1 [::1] :: 0.0.0.0';
  const privateRanges = '10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fd00::1 fc00::1 ::ffff:10.0.0.1';
  const special = '169.254.169.254 224.0.0.1 255.255.255.255 198.18.0.1 fe80::1 ff02::1';
  const documentation = '192.0.2.1 198.51.100.20 203.0.113.10 2001:db8::1 [2001:db8::1] 3fff::1 ::ffff:192.0.2.1';

  const otherSpellings = '0:0:0:0:0:0:0:1 [0000::0001] 0:0::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 FE80::1%eth0';
  const ofResolvers = '127.1 2130706433 0x7f.1 0X7F000001 0177.0.0.1 10.1 10.1. 0 64:ff9b::a00:1 2002:a00:1::';

  it.each(
    [local, privateRanges, special, documentation, otherSpellings, ofResolvers].flatMap((hosts) => hosts.split(' ')),
  )('is not %s', (host) => {
    expect(refuses(host)).toBe(true);
  });

  it.each([
    'example.com',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '192.169.0.1',
    '2606:4700::1111',
    '192.0.3.1',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '8.8',
    '134744072',
    '64:ff9b::808:808',
    '1.2.3.4.5',
    '256.1.1.1',
    'ten.10.example',
  ])('may be %s', (host) => {
    expect(refuses(host)).toBe(false);
  });

  it('is the same of every spelling of an IPv4 address', () => {
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 127, 169, 172, 192, 254));
    const radix = fc.constantFrom<(n: number) => string>(
      String,
      (n) => `0x${n.toString(16)}`,
      (n) => `0${n.toString(8)}`,
    );
    fc.assert(
      fc.property(
        fc.tuple(octet, octet, octet, octet),
        fc.integer({ min: 1, max: 4 }),
        radix,
        (octets, parts, spell) => {
          // inet_aton(3): the last part holds all octets that are left.
          const last = octets.slice(parts - 1).reduce((sum, value) => sum * 256 + value, 0);
          const host = [...octets.slice(0, parts - 1), last].map(spell).join('.');
          expect([host, refuses(host)]).toEqual([host, refuses(octets.join('.'))]);
        },
      ),
    );
  });

  it('is named by a URL in https, or is not asked for at all', () => {
    expect(() => assertTargetUrl('hook', 'https://[::1]/', false)).toThrow(
      expect.objectContaining({ code: 'private_target' }),
    );
    expect(() => assertTargetUrl('hook', 'http://example.com/', false)).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
    expect(() => assertTargetUrl('hook', 'https://example.com/', false)).not.toThrow();
    expect(() => assertTargetUrl('hook', null, false)).not.toThrow();
  });

  it('is anything where private targets are allowed', () => {
    expect(() => assertTargetHost('host', '127.0.0.1', true)).not.toThrow();
    expect(() => assertTargetUrl('hook', 'http://127.0.0.1/', true)).not.toThrow();
  });
});
