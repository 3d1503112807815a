import { answerTo, Caller, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

/** What a phone behind a NAT, or a PBX behind a VPN, is called where it stands. */
const INNER = '192.168.1.50:5060';

describe('a peer that writes the address of another network', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;

  beforeEach(async () => {
    endpoint = await TestEndpoint.start({ authentication: 'none' });
    peer = await SipPeer.udp(endpoint.port);
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  it('and asks for no rport is answered at its source, call by call to the end', async () => {
    const caller = new Caller(peer, endpoint.port);
    const asInside = (request: string): string =>
      request.replaceAll(`127.0.0.1:${peer.port}`, INNER).replace(';rport', '');
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
    peer.send(asInside(caller.request('OPTIONS')));
    await peer.response(200, 'OPTIONS');
    peer.send(asInside(caller.invite()));
    await peer.response(180);
    const ok = await peer.response(200, 'INVITE');
    expect(ok.first('via')).toContain(';received=127.0.0.1');
    caller.establish(ok);
    peer.send(asInside(caller.request('ACK')));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    endpoint.calls[0]!.dialog.bye();
    const bye = await peer.request('BYE');
    expect(bye.requestUri).toBe(`sip:caller@${INNER}`);
    peer.send(answerTo(bye, 200));
    await until(() => endpoint.calls[0]!.events.includes('closed normal'));
  });

  it('as a carrier gets our ACK and our BYE where it got the INVITE', async () => {
    const events: string[] = [];
    const dialog = await endpoint.server.invite(
      {
        sipCallId: 'nat@trunkline',
        target: { user: '+15557654321', host: '127.0.0.1', port: peer.port, transport: 'udp' },
        fromUser: '+15550001111',
        fromDisplayName: '',
        credentials: { username: 'bob', password: 'pw' },
        headers: [],
        offer: () => OFFER,
      },
      recordingDelegate(events),
    );
    const invite = await peer.request('INVITE');
    peer.send(answerTo(invite, 200, { toTag: 'callee', headers: [`Contact: <sip:gw@${INNER}>`], body: ANSWER }));
    expect((await peer.request('ACK')).requestUri).toBe(`sip:gw@${INNER}`);
    dialog.bye();
    const bye = await peer.request('BYE');
    expect(bye.requestUri).toBe(`sip:gw@${INNER}`);
    peer.send(answerTo(bye, 200));
    await until(() => events.includes('closed normal'));
  });
});
