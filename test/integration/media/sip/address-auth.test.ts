/** Who is known by the address that its requests come from. */
import { NetworkMap, parseNetwork } from '../../../../ops/address-network';
import type { AddressSet } from '../../../../contract/directory';
import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

const LISTED = '127.0.9.0/24';
const [inside, alsoInside, outside] = ['127.0.9.1', '127.0.9.2', '127.0.8.1'];

function addresses(network: string): AddressSet {
  const listed = new NetworkMap<true>();
  listed.set(parseNetwork(network)!, true);
  return { has: (address) => listed.get(address) === true };
}

describe('an INVITE', () => {
  let endpoint: TestEndpoint;
  const sources = addresses(LISTED);
  const identity = { trunkId: 'trunk', orgId: 'org', username: 'alice', sources };

  const start = async (knownByAddress: boolean): Promise<void> => {
    endpoint = await TestEndpoint.start({
      delegate: {
        credentials: (username) =>
          username === 'alice' && !knownByAddress ? { ...identity, password: 'secret' } : undefined,
        knownAt: (address) => (knownByAddress && sources.has(address) ? identity : undefined),
        availability: () => ({ available: true, retryAfterSeconds: 1 }),
        onInvite: (dialog) => {
          const call = { dialog, events: [] as string[], ladder: [] };
          dialog.delegate = { onAck: () => call.events.push('ack'), onBye: () => call.events.push('bye') };
          endpoint.calls.push(call);
          dialog.answer(ANSWER);
        },
      },
    });
  };

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  const from = async (address: string): Promise<[SipPeer, Caller]> => {
    const peer = await SipPeer.udp(endpoint.port, address);
    return [peer, new Caller(peer, endpoint.port)];
  };

  it('of a listed address is taken without a challenge, and that of another is challenged', async () => {
    await start(true);
    const [peer, caller] = await from(inside);
    peer.send(caller.invite());
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK'));
    await until(() => endpoint.calls[0]?.events.includes('ack') === true);
    expect(endpoint.calls[0]?.dialog.invite.identity).toMatchObject({ trunkId: 'trunk', orgId: 'org' });
    const [stranger, other] = await from(outside);
    stranger.send(other.invite());
    const challenge = await stranger.response(401);
    stranger.send(other.ackRefusal(challenge));
    other.cseq += 1;
    // The trunk's own password opens nothing: it is not by that that it is known.
    stranger.send(other.invite({ headers: [other.authorization(challenge, 'alice', 'secret')] }));
    await stranger.response(403);
    expect(endpoint.calls).toHaveLength(1);
  });

  it('of a listed address is taken with wrong credentials too', async () => {
    await start(true);
    const [peer, caller] = await from(inside);
    const authorization =
      'Authorization: Digest username="x", realm="trunkline", nonce="n", uri="sip:x", response="0", algorithm=MD5';
    peer.send(caller.invite({ headers: [authorization] }));
    await peer.response(200);
  });

  it.each([true, false])(
    'begins a call whose requests come from the list alone (known by address: %s)',
    async (known) => {
      await start(known);
      const [peer, caller] = await from(inside);
      peer.send(caller.invite());
      if (!known) {
        const challenge = await peer.response(401);
        peer.send(caller.ackRefusal(challenge));
        caller.cseq += 1;
        peer.send(caller.invite({ headers: [caller.authorization(challenge, 'alice', 'secret')] }));
      }
      caller.establish(await peer.response(200));
      const [stranger] = await from(outside);
      // Neither its ACK nor its BYE counts.
      stranger.send(caller.request('ACK'));
      caller.cseq += 1;
      stranger.send(caller.request('BYE'));
      await stranger.response(403, 'BYE');
      expect(endpoint.calls[0]?.events).toEqual([]);
      expect(endpoint.rejected.source_not_allowed).toBe(1);
      caller.cseq -= 1;
      // Behind the list may be several gateways.
      const [gateway] = await from(alsoInside);
      gateway.send(caller.request('ACK'));
      await until(() => endpoint.calls[0]?.events.includes('ack') === true);
      caller.cseq += 1;
      gateway.send(caller.request('BYE'));
      await gateway.response(200, 'BYE');
      expect(endpoint.calls[0]?.events).toEqual(['ack', 'bye']);
    },
  );

  it('with the right password from an address that is not listed is refused as one with a wrong password', async () => {
    await start(false);
    const [peer, caller] = await from(outside);
    peer.send(caller.invite());
    const challenge = await peer.response(401);
    peer.send(caller.ackRefusal(challenge));
    caller.cseq += 1;
    peer.send(caller.invite({ headers: [caller.authorization(challenge, 'alice', 'secret')] }));
    const refused = await peer.response(403);
    expect(refused.reason).toBe('Forbidden');
    expect(endpoint.calls).toEqual([]);
    expect(endpoint.rejected).toMatchObject({ challenged: 1, source_not_allowed: 1 });
    expect(endpoint.warnings).toEqual([{ trunkId: 'trunk', address: outside }]);
  });
});
