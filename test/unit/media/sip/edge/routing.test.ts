import { flowToHop, nextHop, sendResponse } from '../../../../../media/sip/edge/routing';
import { parseVia } from '../../../../../media/sip/message/via';

import type { SipEdge } from '../../../../../media/sip/edge/edge';
import type { Flow } from '../../../../../media/sip/edge/flow';
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

  // A PBX behind a VPN or a second NAT writes the address that it has in its own network.
  it.each([
    ['192.168.0.9', '192.168.0.2', '192.168.0.9', 5066],
    ['192.168.0.2', '192.168.0.2', '192.168.0.2', 5066],
    ['192.168.1.50', '10.8.0.2', '10.8.0.2', 4000],
    ['192.168.1.50', '192.168.0.2', '192.168.0.2', 4000],
    ['10.1.2.3', '10.8.0.2', '10.8.0.2', 4000],
    ['10.1.2.3', '100.64.7.7', '100.64.7.7', 4000],
    ['192.168.1.50', '169.254.3.4', '169.254.3.4', 4000],
    ['192.168.1.50', '127.0.0.1', '127.0.0.1', 4000],
    ['127.0.0.1', '192.168.0.2', '192.168.0.2', 4000],
    ['127.0.0.9', '127.0.0.1', '127.0.0.9', 5066],
    ['[fd00:1:2:3::9]', 'fd00:1:2:3::1', 'fd00:1:2:3::9', 5066],
    ['[fd00:1:2:4::9]', 'fd00:1:2:3::1', 'fd00:1:2:3::1', 4000],
    ['[::ffff:192.168.0.9]', '192.168.0.2', '192.168.0.2', 4000],
    ['inner.example.com', '10.8.0.2', '10.8.0.2', 4000],
    ['inner.example.com', '10.0.0.7', '10.0.0.1', 5060],
    ['8.8.8.8', '10.8.0.2', '8.8.8.8', 5066],
  ])('to %s from a peer at %s goes to %s port %i', async (host, from, address, port) => {
    expect(await go(host, { ...peer, address: from })).toEqual({ address, port });
  });

  it('never leaves a private peer for another private address where those are not allowed', async () => {
    const near = { ...peer, address: '192.168.0.2' };
    expect(await go('10.1.2.3', near, false)).toEqual({ address: '192.168.0.2', port: 4000 });
    expect(await go('inner.example.com', near, false)).toEqual({ address: '192.168.0.2', port: 4000 });
    expect(await go('192.168.0.2', near, false)).toEqual({ address: '192.168.0.2', port: 5066 });
    expect(await go('198.51.100.1', near, false)).toEqual({ address: '192.168.0.2', port: 4000 });
    expect(await go('8.8.8.8', near, false)).toEqual({ address: '8.8.8.8', port: 5066 });
  });
});

describe('answer over UDP', () => {
  async function portOfAnswer(via: string | null, address: string): Promise<number> {
    const to: number[] = [];
    const flowOn = (port: number): Flow =>
      ({ peer: { transport: 'udp', address, port }, send: () => to.push(port) }) as unknown as Flow;
    const edge = { udpFlow: (_: string, port: number) => flowOn(port) } as unknown as SipEdge;
    const response = { status: 200, reason: 'OK', method: 'OPTIONS', cseq: '1 OPTIONS', bytes: Buffer.alloc(0) };
    await sendResponse(edge, flowOn(4000), { ...response, via: via === null ? null : parseVia(`SIP/2.0/UDP ${via}`) });
    expect(to).toHaveLength(1);
    return to[0]!;
  }

  it.each([
    ['203.0.113.5:5070;branch=z', '203.0.113.5', 5070],
    ['203.0.113.5;branch=z', '203.0.113.5', 5060],
    ['[2001:DB8:0::7]:5070', '2001:db8::7', 5070],
    ['203.0.113.5:5070;rport', '203.0.113.5', 4000],
    // Behind a NAT, whatever the phone believes of itself.
    ['192.168.1.50:5060;branch=z', '203.0.113.5', 4000],
    ['192.168.1.50', '203.0.113.5', 4000],
    ['192.168.1.50:5060;rport', '203.0.113.5', 4000],
    ['192.168.1.50:5060;received=203.0.113.5', '203.0.113.5', 4000],
    ['198.51.100.9:5060', '203.0.113.5', 4000],
    ['0.0.0.0:5060', '203.0.113.5', 4000],
    ['[fd00::9]:5060', '2001:db8::7', 4000],
    ['phone.local:5060', '203.0.113.5', 4000],
    ['localhost', '203.0.113.5', 4000],
  ])('with Via %s from %s port 4000 goes to port %i', async (via, address, port) => {
    expect(await portOfAnswer(via, address)).toBe(port);
  });

  it('goes back to the source when the Via cannot be read', async () => {
    expect(await portOfAnswer(null, '203.0.113.5')).toBe(4000);
    expect(await portOfAnswer(':::', '203.0.113.5')).toBe(4000);
  });
});
