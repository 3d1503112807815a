import { isPrivateHost } from '../../../api/target-url';

describe('isPrivateHost', () => {
  const local = 'localhost api.localhost. 127.0.0.1 [::1] :: 0.0.0.0';
  const privateRanges = '10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fd00::1 fc00::1 ::ffff:10.0.0.1';
  const special = '169.254.169.254 224.0.0.1 255.255.255.255 198.18.0.1 fe80::1 ff02::1';

  const otherSpellings = '0:0:0:0:0:0:0:1 [0000::0001] 0:0::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 FE80::1%eth0';

  it.each([local, privateRanges, special, otherSpellings].flatMap((hosts) => hosts.split(' ')))(
    'is true of %s',
    (host) => {
      expect(isPrivateHost(host)).toBe(true);
    },
  );

  it.each([
    'example.com',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '192.169.0.1',
    '2001:db8::1',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
  ])('is false of %s', (host) => {
    expect(isPrivateHost(host)).toBe(false);
  });
});
