import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { ANSWER, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { SipResponse } from '../../../../media/sip/message/message';

describe('sizes on the wire', () => {
  let endpoint: TestEndpoint;
  let peer: SipPeer;
  let caller: Caller;

  beforeEach(async () => {
    endpoint = await TestEndpoint.start();
  });

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  async function open(transport: 'udp' | 'tcp'): Promise<void> {
    peer = await SipPeer[transport](endpoint.port);
    caller = new Caller(peer, endpoint.port);
  }

  /** The peer is still served, by the same connection. */
  async function control(): Promise<void> {
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200, 'OPTIONS');
    expect(peer.closed).toBe(false);
  }

  const filler = (bytes: number): string => `X-Filler: ${'a'.repeat(bytes)}`;

  it.each(['udp', 'tcp'] as const)('a call with 20 KiB and more of headers is served over %s', async (transport) => {
    await open(transport);
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
    peer.send(caller.invite({ headers: [filler(20_000)] }));
    const challenge = await peer.response(401);
    peer.send(caller.ackRefusal(challenge));
    caller.cseq += 1;
    peer.send(caller.invite({ headers: [caller.authorization(challenge, 'alice', 'secret'), filler(40_000)] }));
    caller.establish(await peer.response(200));
    peer.send(caller.request('ACK', { headers: [filler(20_000)] }));
    await until(() => endpoint.calls[0]!.events.includes('ack'));
    caller.cseq += 1;
    peer.send(caller.request('BYE', { headers: [filler(60_000)] }));
    await peer.response(200, 'BYE');
  });

  it.each([
    ['a head beyond 64 KiB', { headers: [filler(70_000)] }, 513],
    ['a head of 1 MiB', { headers: [filler(1_000_000)] }, 513],
    ['a head of ten thousand lines', { headers: Array.from({ length: 10_000 }, (_, i) => `X-${i}: ${i}`) }, 513],
    ['a head beyond 64 KiB with a body', { headers: [filler(70_000)], body: 'v=0\r\n'.repeat(10) }, 513],
    ['a body beyond 32 KiB', { body: 'x'.repeat(40_000) }, 413],
    ['a body of 1 MiB', { body: 'x'.repeat(1_000_000) }, 413],
  ])('%s is refused, and the connection is kept', async (_what, options, status) => {
    await open('tcp');
    peer.send(caller.request('INVITE', options) + new Caller(peer, endpoint.port).request('OPTIONS'));
    const refusal = await peer.response(status, 'INVITE');
    expect(refusal.callId).toBe(caller.callId);
    await peer.response(200, 'OPTIONS');
    await control();
  });

  it('more lines than are read are refused over UDP', async () => {
    await open('udp');
    const lines = Array.from({ length: 2_000 }, (_, i) => `X-${i}: ${i}`);
    peer.send(caller.request('OPTIONS', { headers: lines }));
    await peer.response(513);
    await control();
  });

  it('a folded Content-Length hides no second request', async () => {
    await open('tcp');
    const hidden = new Caller(peer, endpoint.port).request('OPTIONS');
    const outer = caller.request('OPTIONS', { body: hidden }).replace('Content-Length: ', 'Content-Length:\r\n  ');
    peer.send(outer);
    const answer = await peer.response(200, 'OPTIONS');
    expect(answer.callId).toBe(caller.callId);
    await control();
    expect(await peer.take(undefined, 30)).toBeUndefined();
  });

  it.each(['nine', '-1', '1 2', '0\r\nContent-Length: 400'])(
    'a Content-Length of %j is refused, and what is behind it is no request',
    async (length) => {
      await open('tcp');
      const hidden = new Caller(peer, endpoint.port).request('OPTIONS');
      peer.send(caller.request('OPTIONS').replace('Content-Length: 0', `Content-Length: ${length}`) + hidden);
      await peer.response(400);
      await until(() => peer.closed);
      expect(await peer.take<SipResponse>(undefined, 10)).toBeUndefined();
      expect(endpoint.rejected.framing).toBe(1);
    },
  );
});
