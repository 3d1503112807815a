import { OwnAddress, OwnAddresses } from '../../../../media/sip/own-address';

import type { SipEdge } from '../../../../media/sip/edge/edge';
import type { Flow } from '../../../../media/sip/edge/flow';

describe('our address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1:5070'],
    ['sip.example.com', 'sip.example.com:5070'],
    ['2001:db8::1', '[2001:db8::1]:5070'],
    ['[2001:db8::1]', '[2001:db8::1]:5070'],
  ])('%s stands in Via and Contact as %s', (host, sentBy) => {
    const own = new OwnAddress(host, 5070);
    expect([own.host, own.sentBy]).toEqual([host, sentBy]);
    expect(own.contact('a%20b', 'udp')).toBe(`<sip:a%20b@${sentBy}>`);
    expect(own.contact('', 'tcp')).toBe(`<sip:${sentBy};transport=tcp>`);
  });

  describe('for a peer', () => {
    const asked: string[] = [];
    const edge = {
      port: 5060,
      knownLocalAddress: ({ peer }: Flow) => (peer.address === '192.0.2.9' ? '192.0.2.1' : undefined),
      localAddress: (address: string) => {
        asked.push(address);
        return Promise.resolve('192.0.2.2');
      },
    } as unknown as SipEdge;
    const from = (address: string): Flow => ({ peer: { transport: 'udp', address, port: 5060 } }) as Flow;

    it('is that of the route, which may have to be asked for', async () => {
      const addresses = new OwnAddresses(edge, undefined);
      expect(addresses.known(from('192.0.2.9'))?.sentBy).toBe('192.0.2.1:5060');
      expect(addresses.known(from('192.0.2.8'))).toBeUndefined();
      expect((await addresses.towards('192.0.2.8')).host).toBe('192.0.2.2');
      expect(asked.splice(0)).toEqual(['192.0.2.8']);
    });

    it('is the public host where one is configured, and nothing is asked', async () => {
      const addresses = new OwnAddresses(edge, 'sip.example.com');
      expect(addresses.known(from('192.0.2.8'))?.host).toBe('sip.example.com');
      expect((await addresses.towards('192.0.2.8')).sentBy).toBe('sip.example.com:5060');
      expect(asked).toEqual([]);
    });
  });
});
