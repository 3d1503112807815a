/** What a trunk's settings change of the calls it carries. */
import type { InboundTrunkProfile, OutboundTrunkProfile } from '../../../../contract/directory';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { TRUNK } from '../../../fakes/fake-directory';
import { FakeInboundDialog, PHONE_SDP } from '../../../fakes/fake-sip';

const BOTH = PHONE_SDP.replace('RTP/AVP 0 101', 'RTP/AVP 0 8 101');

function inboundTrunk(settings: Partial<InboundTrunkProfile>): InboundTrunkProfile {
  const credentials = { id: 'trunk-in', orgId: 'org-1', username: 'pbx', password: 'p' };
  return { ...credentials, phoneNumbers: [], mediaTimeoutSeconds: 60, ...settings };
}

describe('an inbound trunk', () => {
  let layer: CallLayer;
  let calls = 0;

  beforeEach(() => {
    layer = new CallLayer();
  });

  const receive = (offer = BOTH): FakeInboundDialog =>
    layer.receive(new FakeInboundDialog({ sipCallId: `in-${++calls}`, offer }));

  it('that carries as many calls as it may is busy, until one has ended', async () => {
    layer.directory.trunk = inboundTrunk({ maxConcurrentCalls: 2 });
    const first = receive();
    receive();
    expect(receive().rejection).toEqual({
      status: 486,
      retryAfterSeconds: 5,
      reason: 'Trunk Carries As Many Calls As It May',
    });
    expect(layer.rejected).toEqual(['trunk_full']);
    await settle();
    first.peerBye();
    await layer.clock.advance(2000);
    expect(receive().rejection).toBeNull();
  });

  it('takes a second’s calls at once and then one by one', async () => {
    layer.directory.trunk = inboundTrunk({ maxCallsPerSecond: 3 });
    const refused = (): (number | undefined)[] => Array.from({ length: 4 }, () => receive().rejection?.status);
    expect(refused()).toEqual([undefined, undefined, undefined, 503]);
    expect(receive().rejection).toEqual({ status: 503, retryAfterSeconds: 1, reason: 'Too Many Calls A Second' });
    expect(layer.rejected).toEqual(['trunk_rate', 'trunk_rate']);
    expect(layer.registry.size).toBe(3);
    await layer.clock.advance(334);
    expect([receive(), receive()].map(({ rejection }) => rejection?.status)).toEqual([undefined, 503]);
  });

  it('of one call a second takes no second one in it', () => {
    layer.directory.trunk = inboundTrunk({ maxCallsPerSecond: 1 });
    expect([receive(), receive()].map(({ rejection }) => rejection?.status)).toEqual([undefined, 503]);
  });

  it('answers with the codec that it likes best, and refuses a caller that has none of its', async () => {
    layer.directory.trunk = inboundTrunk({ codecs: ['PCMA', 'PCMU'] });
    const answered = receive();
    await settle();
    expect(answered.answers[0]).toContain('RTP/AVP 8 101\r\n');
    layer.directory.trunk = inboundTrunk({ codecs: ['PCMA'] });
    expect(receive(PHONE_SDP).rejection).toMatchObject({
      status: 488,
      warning: expect.stringMatching(/^305 /) as string,
    });
  });

  it('answers with the first of the offer where it has no order of its own', async () => {
    layer.directory.trunk = inboundTrunk({});
    const answered = receive(BOTH.replace('RTP/AVP 0 8', 'RTP/AVP 8 0'));
    await settle();
    expect(answered.answers[0]).toContain('RTP/AVP 8 101\r\n');
  });

  it('lets audio come from any host where it says so', async () => {
    layer.directory.trunk = inboundTrunk({ mediaSource: 'any' });
    receive();
    await settle();
    expect(layer.rtp.last.options).toMatchObject({ anySource: true });
  });
});

describe('an outbound trunk', () => {
  let layer: CallLayer;

  beforeEach(() => {
    layer = new CallLayer();
  });

  const settings = (changes: Partial<OutboundTrunkProfile>): void => {
    layer.directory.outbound = { ...TRUNK, ...changes };
  };

  it('says in its INVITE what it is told to', async () => {
    settings({
      numberFormat: 'e164_no_plus',
      fromHost: 'acme.example',
      headers: { 'X-Account': '4711' },
      transportStrict: true,
      codecs: ['PCMA'],
      gateways: [
        { host: 'second.example', port: 5062, transport: 'tcp', priority: 2, weight: 1 },
        { host: 'first.example', port: 5061, transport: 'udp', priority: 1, weight: 1 },
      ],
    });
    await layer.dial();
    const { options, sdpOffer } = layer.endpoint.last;
    expect(options).toMatchObject({
      target: { user: '15557654321', host: 'carrier.example' },
      fromUser: '15550000001',
      fromHost: 'acme.example',
      headers: [['X-Account', '4711']],
      transportStrict: true,
    });
    expect(options.gateways?.map(({ host }) => host)).toEqual(['first.example', 'second.example']);
    expect(sdpOffer).toContain('RTP/AVP 8 101\r\n');
  });

  const another = (n: number): Parameters<CallLayer['dial']>[0] => ({
    callId: `call-${n}`,
    attemptId: `attempt-${n}`,
    sipCallId: `sip-${n}`,
  });

  it('a dial that has no room sends nothing and leaves nothing behind', async () => {
    expect(await layer.dial(another(1), () => Promise.resolve(false))).toMatchObject({
      sent: false,
      code: 'no_capacity',
    });
    expect([layer.endpoint.dialogs.length, layer.registry.size]).toEqual([0, 0]);
    expect(layer.control.status('call-1')).toEqual({ known: false });
  });

  it('what a call has of its trunk is given back when it is over, and not before', async () => {
    expect(await layer.dial(another(1))).toMatchObject({ sent: true });
    expect(layer.capacity.log).toEqual([]);
    layer.endpoint.last.refuse(486);
    await layer.clock.advance(1000);
    expect(layer.capacity.log).toEqual(['over attempt-1']);
  });

  const congested = (): readonly string[] => layer.capacity.log.filter((line) => line.startsWith('congested'));

  it('of a carrier that says 503 and for how long, the trunk is left in peace', async () => {
    await layer.dial(another(1));
    layer.endpoint.last.refuse(503, null, 'Busy', 7);
    await layer.clock.advance(1000);
    expect(congested()).toEqual([`congested ${TRUNK.id} 7000`]);
  });

  it('of one that says 503 alone, for longer each time until it takes a call', async () => {
    for (let n = 1; n <= 3; n++) {
      await layer.dial(another(n));
      layer.endpoint.last.refuse(503, null);
      await layer.clock.advance(5000);
    }
    await layer.dial(another(4));
    layer.endpoint.last.refuse(486);
    await layer.dial(another(5));
    layer.endpoint.last.refuse(503, null);
    expect(congested()).toEqual([250, 500, 1000, 250].map((ms) => `congested ${TRUNK.id} ${ms}`));
  });

  it('an INVITE to another host that is not wanted any more does not leave, and the call says so', async () => {
    const asked: string[] = [];
    await layer.dial(
      another(1),
      () => Promise.resolve(true),
      () => {
        asked.push(...layer.capacity.log);
        return Promise.resolve('campaign_not_running');
      },
    );
    expect(await layer.endpoint.last.options.beforeFailover?.()).toBe(false);
    // Behind its turn, which may be a while off.
    expect(asked).toEqual([`turn ${TRUNK.id}`]);
    layer.endpoint.last.refuse(503, null, 'No Room');
    await layer.clock.advance(1000);
    const sip = { finalStatus: 503, reason: 'No Room; no other gateway was tried: campaign_not_running' };
    expect(layer.events.ended('call-1')).toMatchObject([{ ending: { disposition: 'congestion', sip } }]);
  });

  it('an INVITE to another host asks for a turn of its own', async () => {
    await layer.dial(another(1));
    await layer.endpoint.last.options.beforeFailover?.();
    expect(layer.capacity.log).toEqual([`turn ${TRUNK.id}`]);
  });
});
