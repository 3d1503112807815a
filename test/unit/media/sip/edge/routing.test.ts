import { flowToHop, nextHop } from '../../../../../media/sip/edge/routing';

import type { SipEdge } from '../../../../../media/sip/edge/edge';
import type { TargetResolver } from '../../../../../media/sip/edge/resolver';
import type { SipPeer } from '../../../../../media/sip/peer';

describe('next hop', () => {
  it.each([
    ['sip:a@h:5070', { host: 'h', port: 5070, transport: 'udp' }],
    ['sip:p1;lr;transport=TCP', { host: 'p1', port: null, transport: 'tcp' }],
    ['sip:a@h;maddr=192.0.2.9', { host: '192.0.2.9', port: null, transport: 'udp' }],
  ])('of %s', (hop, expected) => {
    expect(nextHop({ hop })).toEqual(expected);
  });

  it('is unknown for what is no SIP URI', () => {
    expect(nextHop({ hop: 'tel:+1555' })).toBeNull();
    expect(nextHop({ hop: '' })).toBeNull();
  });
});

describe('flow to a hop', () => {
  const peer: SipPeer = { transport: 'udp', address: '203.0.113.5', port: 4000 };
  const edge = { udpFlow: (address: string, port: number) => ({ address, port }) } as unknown as SipEdge;
  const resolve: TargetResolver = (name) => {
    const inner = { address: '10.0.0.1', port: 5060, transport: 'udp' } as const;
    if (name === 'inner.example.com') return Promise.resolve([inner]);
    if (name === 'both.example.com') return Promise.resolve([inner, { ...inner, address: '198.51.100.2', port: 5062 }]);
    return Promise.reject(new Error());
  };
  const go = (host: string, from: SipPeer = peer, allowPrivateTargets = true): Promise<unknown> =>
    flowToHop({ edge, resolve, allowPrivateTargets }, { host, port: 5066, transport: 'udp' }, from);

  it.each([
    ['198.51.100.1', '198.51.100.1', 5066],
    ['203.0.113.5', '203.0.113.5', 5066],
    ['10.1.2.3', '203.0.113.5', 4000],
    ['127.0.0.1', '203.0.113.5', 4000],
    ['169.254.169.254', '203.0.113.5', 4000],
    ['[::ffff:7f00:1]', '203.0.113.5', 4000],
    ['[0:0:0:0:0:0:0:1]', '203.0.113.5', 4000],
    ['224.0.1.75', '203.0.113.5', 4000],
    ['inner.example.com', '203.0.113.5', 4000],
    ['both.example.com', '198.51.100.2', 5062],
    ['unknown.example.com', '203.0.113.5', 4000],
  ])('to %s from a public peer goes to %s', async (host, address, port) => {
    expect(await go(host)).toEqual({ address, port });
  });

  it('stays in the network of a private peer', async () => {
    expect(await go('10.1.2.3', { ...peer, address: '192.168.0.2' })).toEqual({ address: '10.1.2.3', port: 5066 });
    expect(await go('127.0.0.1', { ...peer, address: '192.168.0.2' })).toEqual({ address: '192.168.0.2', port: 4000 });
  });

  it('never leaves a private peer for another private address where those are not allowed', async () => {
    const near = { ...peer, address: '192.168.0.2' };
    expect(await go('10.1.2.3', near, false)).toEqual({ address: '192.168.0.2', port: 4000 });
    expect(await go('inner.example.com', near, false)).toEqual({ address: '192.168.0.2', port: 4000 });
    expect(await go('192.168.0.2', near, false)).toEqual({ address: '192.168.0.2', port: 5066 });
    expect(await go('198.51.100.1', near, false)).toEqual({ address: '198.51.100.1', port: 5066 });
  });
});
