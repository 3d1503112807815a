import type { OutboundInvite } from '../../../../media/sip/invite';
import { answerTo, OFFER } from '../../../fakes/media/sip/caller';
import { MemoryBindings, Registrant } from '../../../fakes/media/sip/registers';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

describe('an INVITE to who has registered', () => {
  let endpoint: TestEndpoint;
  let store: MemoryBindings;
  let events: string[];

  beforeEach(async () => {
    store = new MemoryBindings();
    // What registers is called wherever it came from, private addresses included.
    endpoint = await TestEndpoint.start({ bindings: store, allowPrivateTargets: false });
    events = [];
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  const held = () => store.trunks.get('trunk') ?? [];

  function invite(more: Partial<OutboundInvite> = {}) {
    return endpoint.server.invite(
      {
        sipCallId: `${Math.random()}@trunkline`,
        target: { user: '+15557654321', host: 'sip.example.com', port: 5060, transport: 'udp' },
        contacts: held(),
        fromUser: '+15550001111',
        credentials: { username: 'alice', password: 'secret' },
        offer: () => OFFER,
        ...more,
      },
      recordingDelegate(events),
    );
  }

  async function registered(transport: 'udp' | 'tcp', contact?: string, headers: readonly string[] = []) {
    const peer = await SipPeer[transport](endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    expect((await pbx.register({ contacts: [contact ?? pbx.contact], headers })).status).toBe(200);
    return { peer, pbx };
  }

  it.each(['udp', 'tcp'] as const)(
    'reaches it behind NAT over its %s flow, to the end of the call',
    async (transport) => {
      const contact = `<sip:alice@192.168.7.7:5060;transport=${transport};line=abc>`;
      const { peer } = await registered(transport, contact);
      const dialog = await invite();
      const request = await peer.request('INVITE');
      expect(request.requestUri).toBe(contact.slice(1, -1));
      expect(request.to?.uri).toBe('sip:+15557654321@sip.example.com:5060');
      peer.send(answerTo(request, 200, { toTag: 'pbx', headers: [`Contact: ${contact}`], body: ANSWER }));
      await peer.request('ACK');
      dialog.bye();
      peer.send(answerTo(await peer.request('BYE'), 200));
      await until(() => events.includes('closed normal'));
    },
  );

  it('goes by its Path, and so do CANCEL and the ACK of a refusal', async () => {
    const path = '<sip:edge@127.0.0.1;lr>';
    const peer = await SipPeer.udp(endpoint.port);
    const pbx = new Registrant(peer, endpoint.port);
    const proxy = path.replace('127.0.0.1', `127.0.0.1:${peer.port}`);
    await pbx.register({ contacts: ['<sip:inner@10.0.0.9>'], headers: [`Path: ${proxy}`] });
    const dialog = await invite();
    const request = await peer.request('INVITE');
    expect([request.requestUri, request.list('route')]).toEqual(['sip:inner@10.0.0.9', [proxy]]);
    peer.send(answerTo(request, 180, { toTag: 'pbx' }));
    await until(() => events.includes('progress 180'));
    dialog.cancel();
    const cancel = await peer.request('CANCEL');
    expect([cancel.requestUri, cancel.list('route')]).toEqual(['sip:inner@10.0.0.9', [proxy]]);
    peer.send(answerTo(cancel, 200));
    peer.send(answerTo(request, 487, { toTag: 'pbx' }));
    expect((await peer.request('ACK')).list('route')).toEqual([proxy]);
  });

  it('never goes to a third party that a contact or a Path names', async () => {
    const victim = await SipPeer.udp(0, '127.0.0.2');
    const { peer } = await registered('udp', `<sip:alice@127.0.0.2:${victim.port}>`, [
      `Path: <sip:127.0.0.2:${victim.port};lr>`,
    ]);
    await invite();
    expect((await peer.request('INVITE')).requestUri).toBe(`sip:alice@127.0.0.2:${victim.port}`);
    expect(victim.received).toEqual([]);
  });

  it('goes on to the next contact when the connection of one is closed', async () => {
    const { peer: standing } = await registered('udp');
    const { peer: gone } = await registered('tcp', '<sip:alice@192.168.7.7;transport=tcp>');
    const [first, second] = [held()[1]!, held()[0]!];
    expect(first.source.transport).toBe('tcp');
    gone.close();
    await until(() => endpoint.server.dialogCount === 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await invite({ contacts: [first, second] });
    await standing.request('INVITE');
    expect(events).toContain(`unreachable 127.0.0.1:${gone.port}/tcp its connection is closed`);
  });

  it('goes on to the next contact when one says nothing, as another request', async () => {
    const { peer: silent } = await registered('udp');
    const { peer: standing } = await registered('udp', '<sip:second@192.168.7.7>');
    await invite({ contacts: held() });
    const first = await silent.request('INVITE');
    const second = await standing.request('INVITE', 8_000);
    expect(second.callId).toBe(first.callId);
    expect(second.cseq!.number).toBe(first.cseq!.number + 1);
    expect(second.requestUri).toBe('sip:second@192.168.7.7');
    standing.send(answerTo(second, 486, { toTag: 'pbx' }));
    await until(() => events.some((event) => event.startsWith('reject') && event.includes('486')));
  });

  it('goes nowhere where nobody has registered', async () => {
    await expect(invite({ contacts: [] })).rejects.toThrow(/^not_registered/);
    expect(events).toEqual([
      'unreachable sip:+15557654321@sip.example.com:5060 not_registered: nobody is registered with the credentials of the inbound trunk',
    ]);
  });
});
