import { referredTarget, type ReferringPeer } from '../../../../../media/call/replace/refer-target';
import type { NamedTarget, TargetLookup } from '../../../../../media/sip/edge/target-lookup';
import { FakeClock } from '../../../../fakes/fake-clock';

const PEER: ReferringPeer = {
  at: { transport: 'udp', address: '192.0.2.10', port: 6_060 },
  contact: 'sip:operator@192.168.1.20:5060',
  hosts: ['sip.carrier.example'],
  limits: {},
};
const NOWHERE: TargetLookup = { targets: [], records: [], failure: 'not_found' };

describe('where a REFER may lead', () => {
  const asked: NamedTarget[] = [];
  let found: TargetLookup | Promise<TargetLookup> = NOWHERE;

  const targetOf = (uri: string, peer = PEER) =>
    referredTarget({ uri }, peer, {
      clock: new FakeClock(),
      endpoint: {
        lookUp: (target) => {
          asked.push(target);
          return Promise.resolve(found);
        },
      },
      directory: { refuseReferredUser: (user) => (user === '' ? 'not_a_target' : null) },
    });

  beforeEach(() => {
    asked.length = 0;
    found = NOWHERE;
  });

  it('is the address that the peer speaks from, at whatever port', async () => {
    expect(await targetOf('sip:200@192.0.2.10:5070;transport=TCP')).toEqual({
      target: { user: '200', host: '192.0.2.10', port: 5070, transport: 'tcp' },
    });
    expect(await targetOf('sip:a%20b@192.0.2.10')).toMatchObject({ target: { user: 'a b' } });
    const v6 = { ...PEER, at: { ...PEER.at, address: '2001:db8::1' } };
    expect(await targetOf('sip:200@[2001:DB8:0::1]', v6)).toMatchObject({ target: { user: '200' } });
    expect(asked).toEqual([]);
  });

  it('is a host of its trunk', async () => {
    expect(await targetOf('sip:200@SIP.Carrier.Example')).toEqual({
      target: { user: '200', host: 'sip.carrier.example', port: null, transport: null },
    });
    expect(asked).toEqual([]);
  });

  it('is what the peer calls itself, and goes back to where it is: a NAT has changed its address', async () => {
    expect(await targetOf('sip:200@192.168.1.20')).toEqual({
      target: { user: '200', host: '192.168.1.20', port: null, transport: null },
      nextHop: { host: '192.0.2.10', port: 6_060, transport: 'udp' },
    });
    expect(await targetOf('sip:200@192.168.1.21')).toBe('foreign_target');
    expect(asked).toEqual([]);
  });

  it('is a name that leads there now, and to that address, whatever the name says later', async () => {
    found = {
      ...NOWHERE,
      targets: [
        { address: '192.0.2.66', port: 5060, transport: 'udp' },
        { address: '192.0.2.10', port: 5080, transport: 'tcp' },
      ],
    };
    expect(await targetOf('sip:200@pbx.example')).toEqual({
      target: { user: '200', host: 'pbx.example', port: null, transport: null },
      nextHop: { host: '192.0.2.10', port: 5080, transport: 'tcp' },
    });
    expect(asked).toEqual([{ host: 'pbx.example', port: null, transport: null }]);
  });

  it.each(['sip:200@192.0.2.11', 'sip:200@pbx.example', 'sip:200@192.0.2.10.evil.example', 'sip:200@[2001:db8::2]'])(
    'is not %s',
    async (uri) => expect(await targetOf(uri)).toBe('foreign_target'),
  );

  it.each([
    'tel:+15557654321',
    'sips:200@192.0.2.10',
    'sip:200@192.0.2.10;transport=tls',
    'sip:192.0.2.10',
    'mailto:a@b',
  ])('is not %s, nobody whom we call', async (uri) => expect(await targetOf(uri)).toBe('not_a_target'));

  it('is decided before the peer has given up', async () => {
    found = new Promise(() => undefined);
    const clock = new FakeClock();
    const decided = referredTarget({ uri: 'sip:200@pbx.example' }, PEER, {
      clock,
      endpoint: { lookUp: () => Promise.resolve(found) },
      directory: { refuseReferredUser: () => null },
    });
    await clock.advance(3_000);
    expect(await decided).toBe('foreign_target');
  });
});
