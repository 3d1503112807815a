import { SipResponse } from '../../../../media/sip/message/message';
import { Caller, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

const IDENTITY = { trunkId: 'trunk', orgId: 'org', username: 'bench' };

describe('SIP edge with more to do than it comes to', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;

  beforeEach(async () => {
    endpoint = await TestEndpoint.start({ authentication: 'none', anonymousIdentity: IDENTITY });
    peer = await SipPeer.udp(endpoint.port);
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  /** Of how many calls the peer has got this answer: what is not acknowledged is repeated. */
  function answered(status: number): number {
    const responses = peer.received.filter((message) => message instanceof SipResponse && message.status === status);
    return new Set(responses.map(({ callId }) => callId)).size;
  }

  it('refuses the share that is too much without keeping anything, and a repeat also when all is well again', async () => {
    endpoint.overload = { reason: 'records', share: 1 };
    const caller = new Caller(peer, endpoint.port);
    const invite = caller.invite();
    peer.send(invite);
    const refusal = await peer.response(503);
    expect(refusal.first('retry-after')).toBe('1');
    expect(endpoint.server.dialogCount).toBe(0);
    endpoint.overload = null;
    peer.send(invite);
    const again = await peer.response(503);
    expect(again.toTag).toBe(refusal.toTag);
    // The ACK of a stateless refusal is for nobody (RFC 3261 §8.2.7).
    peer.send(caller.ackRefusal(again));
    endpoint.onCall = ({ dialog }) => dialog.reject(486);
    caller.cseq += 1;
    peer.send(caller.invite());
    await peer.response(486);
    expect(endpoint.calls).toHaveLength(1);
    expect(endpoint.rejected).toEqual({ overload_records: 1, overload_repeat: 1 });
  });

  it('answers OPTIONS, and what belongs to calls that it has', async () => {
    endpoint.onCall = ({ dialog }) => dialog.answer(ANSWER);
    const caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite());
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK'));
    endpoint.overload = { reason: 'state_events', share: 1 };
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200, 'OPTIONS');
    caller.cseq += 1;
    peer.send(caller.request('INVITE', { body: OFFER }));
    await peer.response(200, 'INVITE');
    peer.send(caller.request('ACK'));
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    expect(endpoint.rejected).toEqual({});
  });

  it('reads the BYE of a call before the INVITEs that came before it', async () => {
    const order: string[] = [];
    endpoint.onCall = ({ dialog }) => {
      const [first] = endpoint.calls;
      if (first!.dialog === dialog) {
        dialog.answer(ANSWER);
        return;
      }
      order.push(first!.events.includes('bye') ? 'INVITE after BYE' : 'INVITE before BYE');
      dialog.reject(486);
    };
    const caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite());
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK'));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    // More than the socket gives away at once.
    for (let n = 0; n < 100; n++) peer.send(new Caller(peer, endpoint.port).invite());
    caller.cseq += 1;
    peer.send(caller.request('BYE'));
    await peer.response(200, 'BYE');
    await until(() => order.length === 100);
    expect(new Set(order)).toEqual(new Set(['INVITE after BYE']));
  });

  it('cancels a call whose INVITE and CANCEL came together with others', async () => {
    const other = new Caller(peer, endpoint.port);
    const caller = new Caller(peer, endpoint.port);
    peer.send(other.invite());
    peer.send(caller.invite());
    peer.send(caller.request('CANCEL', { branch: caller.inviteBranch }));
    await peer.response(200, 'CANCEL');
    expect((await peer.response(487)).callId).toBe(caller.callId);
    await until(() => endpoint.calls.length === 2);
    const cancelled = endpoint.calls.find(({ dialog }) => dialog.sipCallId === caller.callId)!;
    expect(cancelled.events).toContain('cancel');
    endpoint.calls.find(({ dialog }) => dialog.sipCallId === other.callId)!.dialog.reject(486);
    peer.send(other.ackRefusal(await peer.response(486)));
  });

  it('a flood is refused, none of it is forgotten, and the next call is taken', async () => {
    // Some times more comes than can be done.
    endpoint.onCall = ({ dialog }) => {
      const untilMs = performance.now() + 4;
      while (performance.now() < untilMs);
      dialog.reject(486);
    };
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        for (let n = 0; n < 10; n++) peer.send(new Caller(peer, endpoint.port).invite());
        sent += 10;
        if (sent < 1_000) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
    await until(() => answered(486) + answered(503) >= sent, 20_000);
    expect(answered(503)).toBe(endpoint.rejected.overload_wait);
    expect(answered(486)).toBe(endpoint.calls.length);
    expect(answered(503)).toBeGreaterThan(0);
    expect(endpoint.calls.length).toBeGreaterThan(5);
    expect(endpoint.server.dialogCount).toBeLessThanOrEqual(endpoint.calls.length);
    const caller = new Caller(peer, endpoint.port);
    endpoint.onCall = ({ dialog }) => dialog.reject(480);
    peer.send(caller.invite());
    expect((await peer.response(480)).callId).toBe(caller.callId);
  }, 30_000);
});
