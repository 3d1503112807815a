import type { NetworkInterfaceInfo } from 'node:os';
import { advertisedSipAddress, isEndpointOf, sipListening } from '../../../ops/sip-address';

const address = (text: string, internal = false): NetworkInterfaceInfo => {
  const common = { address: text, netmask: '', mac: '', internal, cidr: null };
  return text.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
};
const LOOPBACK = [address('127.0.0.1', true), address('::1', true)];

const everywhere = { hosts: ['0.0.0.0', '::'], port: 5060, publicHost: null };

describe('advertisedSipAddress', () => {
  const interfaces = {
    lo: LOOPBACK,
    eth0: [address('2001:db8::5'), address('198.51.100.1')],
    eth1: [address('203.0.113.9')],
  };

  test.each([
    ['the public host', { ...everywhere, publicHost: 'sip.example.com' }, 'sip.example.com'],
    [
      'the public host before a listened address',
      { ...everywhere, hosts: ['192.0.2.7'], publicHost: 'a.test' },
      'a.test',
    ],
    ['with the port when it is not 5060', { ...everywhere, port: 5070, publicHost: 'a.test' }, 'a.test:5070'],
    ['the address listened on', { ...everywhere, hosts: ['192.0.2.7'] }, '192.0.2.7'],
    ['the one that is listened on beside a wildcard', { ...everywhere, hosts: ['::', '192.0.2.7'] }, '192.0.2.7'],
    ['the first of several listened on', { ...everywhere, hosts: ['192.0.2.7', '192.0.2.8'] }, '192.0.2.7'],
    ['the loopback when only that is listened on', { ...everywhere, hosts: ['127.0.0.1'] }, '127.0.0.1'],
    ['the first IPv4 address outside for wildcards', { ...everywhere, port: 5062 }, '198.51.100.1:5062'],
    ['the same for a wildcard spelled out', { ...everywhere, hosts: ['0:0:0:0:0:0:0:0'] }, '198.51.100.1'],
    ['an IPv6 address in brackets', { ...everywhere, publicHost: '2001:db8::1' }, '[2001:db8::1]'],
    ['an IPv6 address in brackets, with its port', { ...everywhere, hosts: ['::1'], port: 5062 }, '[::1]:5062'],
    ['in brackets once', { ...everywhere, port: 5062, publicHost: '[2001:db8::1]' }, '[2001:db8::1]:5062'],
  ])('is %s', (_, listening, expected) => {
    expect(advertisedSipAddress(listening, () => interfaces)).toBe(expected);
  });

  test('is an IPv6 address on a machine that has nothing else, but no link-local one', () => {
    const own = { lo: LOOPBACK, eth0: [address('fe80::1'), address('2001:db8::5')] };
    expect(advertisedSipAddress(everywhere, () => own)).toBe('[2001:db8::5]');
  });

  test('is the loopback on a machine without a network', () => {
    expect(advertisedSipAddress(everywhere, () => ({ lo: LOOPBACK }))).toBe('127.0.0.1');
  });
});

describe('isEndpointOf', () => {
  const interfaces = () => ({ lo: LOOPBACK, eth0: [address('198.51.100.1')] });
  const named = { hosts: ['192.0.2.7', '2001:db8::1'], port: 5070, publicHost: 'sip.example.com' };

  test.each([
    ['the public host with its port', named, 'sip.example.com', 5070, true],
    ['in another spelling', named, 'SIP.Example.com.', 5070, true],
    ['without a port, which the name servers tell', named, 'sip.example.com', null, true],
    ['at another port', named, 'sip.example.com', 5060, false],
    ['an address listened on beside it', named, '192.0.2.7', 5070, true],
    ['an IPv6 one, in brackets', named, '[2001:db8::1]', 5070, true],
    ['the address that stands for a wildcard', everywhere, '198.51.100.1', 5060, true],
    ['somebody else', everywhere, '198.51.100.2', 5060, false],
    ['the wildcard itself is listened on', everywhere, '0.0.0.0', 5060, true],
  ])('%s', (_, listening, host, port, own) => {
    expect(isEndpointOf(listening, { host, port }, interfaces)).toBe(own);
  });
});

test('sipListening takes an unset public host as none', () => {
  expect(sipListening({ SIP_HOST: ['::'], SIP_PORT: 5061, SIP_PUBLIC_HOST: undefined })).toEqual({
    hosts: ['::'],
    port: 5061,
    publicHost: null,
  });
});
