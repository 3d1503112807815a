import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';

import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { Socket } from 'node:net';

/** What one peer does must not cost the others: each attack beside a peer that only wants an answer. */
describe('SIP edge under attack', () => {
  let endpoint: TestEndpoint;
  const sockets: Socket[] = [];

  afterEach(async () => {
    SipPeer.closeAll();
    for (const socket of sockets.splice(0)) socket.destroy();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  async function tcp(localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = createConnection({ port: endpoint.port, host: '127.0.0.1', localAddress });
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async function isAnswered(peer: SipPeer): Promise<void> {
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200, 'OPTIONS', 1_000);
  }

  /** INVITE, challenge, INVITE with credentials; what is answered then, if anything. */
  async function authenticate(peer: SipPeer, username: string, password: string): Promise<number | undefined> {
    const caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite());
    const challenge = await peer.response(401);
    peer.send(caller.ackRefusal(challenge));
    caller.cseq += 1;
    peer.send(caller.invite({ headers: [caller.authorization(challenge, username, password)] }));
    const answer = await peer.take((message) => 'status' in message && message.status > 100, 100);
    if (answer === undefined || !('status' in answer)) return undefined;
    peer.send(caller.ackRefusal(answer));
    return answer.status;
  }

  it('reads a flood of keep-alives at their rate and answers them sparingly', async () => {
    endpoint = await TestEndpoint.start({ rateLimit: { perSecond: 100, burst: 200 } });
    const flood = await tcp();
    let pongs = 0;
    flood.on('data', (bytes) => (pongs += bytes.length / 2));
    const pings = Buffer.from('\r\n\r\n'.repeat(16_000));
    for (let n = 0; n < 500; n++) flood.write(pings);
    const peer = await SipPeer.udp(endpoint.port);
    for (let n = 0; n < 10; n++) await isAnswered(peer);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // 32 MB were written; what the server does not take, the writer has to keep.
    expect(flood.writableLength).toBeGreaterThan(10 * 1024 * 1024);
    expect(endpoint.rejected.rate_limited).toBeGreaterThan(0);
    expect(pongs).toBeLessThan(10);
  });

  it('lets new peers in when idle connections hold the table, and keeps those that have proved themselves', async () => {
    endpoint = await TestEndpoint.start({ tcpLimits: { maxConnections: 40, maxConnectionsPerSource: 12 } });
    endpoint.onCall = ({ dialog }) => dialog.reject(486);
    const proven = await SipPeer.tcp(endpoint.port);
    expect(await authenticate(proven, 'alice', 'secret')).toBe(486);
    const attackers = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
    const flood = async (): Promise<void> => {
      for (let n = 0; n < 60; n++) await tcp(attackers[n % attackers.length]);
    };
    await flood();
    const newcomer = await SipPeer.tcp(endpoint.port);
    await isAnswered(newcomer);
    await flood();
    await isAnswered(newcomer);
    expect(await authenticate(newcomer, 'alice', 'secret')).toBe(486);
    await isAnswered(proven);
    expect([proven.closed, newcomer.closed]).toEqual([false, false]);
    expect(endpoint.rejected.connection_limit).toBeGreaterThan(0);
  });

  it.each([
    ['zeros', Buffer.alloc(200)],
    ['HTTP', Buffer.from('POST / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['half a status line', Buffer.from('SIP/2.0 what?\r\n\r\n')],
  ])('answers the peer whose address sends garbage: %s', async (_, garbage) => {
    endpoint = await TestEndpoint.start({ rateLimit: { perSecond: 100, burst: 500 } });
    const peer = await SipPeer.udp(endpoint.port);
    const flood = createSocket('udp4');
    for (let round = 0; round < 10; round++) {
      for (let n = 0; n < 40; n++) {
        flood.send(garbage, endpoint.port, '127.0.0.1');
        peer.send(garbage);
      }
      await isAnswered(peer);
    }
    flood.close();
    expect((endpoint.rejected.unparsable ?? 0) + (endpoint.rejected.invalid_request ?? 0)).toBeGreaterThan(0);
  });

  it('answers the peer that has proved itself while strangers at its address use up theirs', async () => {
    endpoint = await TestEndpoint.start({ rateLimit: { perSecond: 1, burst: 20 } });
    endpoint.onCall = ({ dialog }) => dialog.reject(486);
    const peer = await SipPeer.udp(endpoint.port);
    expect(await authenticate(peer, 'alice', 'secret')).toBe(486);
    const stranger = await SipPeer.udp(endpoint.port);
    for (let n = 0; n < 50; n++) stranger.send(new Caller(stranger, endpoint.port).request('OPTIONS'));
    await until(() => (endpoint.rejected.rate_limited ?? 0) > 20);
    for (let n = 0; n < 5; n++) await isAnswered(peer);
  });

  it.each(['udp', 'tcp'] as const)('slows a guesser over %s down, and nobody else', async (transport) => {
    endpoint = await TestEndpoint.start();
    endpoint.onCall = ({ dialog }) => dialog.reject(486);
    const guesser = await SipPeer[transport](endpoint.port);
    const beganMs = performance.now();
    for (let denied = 0, n = 0; denied < 6; n++) {
      const status = await authenticate(guesser, 'alice', `guess ${n}`);
      expect([403, undefined]).toContain(status);
      if (status === 403) denied += 1;
    }
    // Pauses of 0.5 and 1 s lie between the fourth and the sixth; after it 2 s.
    expect(performance.now() - beganMs).toBeGreaterThan(1_400);
    expect(await authenticate(guesser, 'alice', 'secret')).toBeUndefined();
    await isAnswered(guesser);
    expect(await authenticate(await SipPeer.udp(endpoint.port, '127.0.0.2'), 'alice', 'secret')).toBe(486);
    await endpoint.server.close();
    const sum = (key: 'failures' | 'withheld'): number =>
      (endpoint.warnings as Record<typeof key, number>[]).reduce((total, report) => total + report[key], 0);
    expect(endpoint.warnings).toHaveLength(2);
    expect(endpoint.warnings[0]).toMatchObject({ failures: 1, from: ['127.0.0.1'], trunkIds: ['trunk'] });
    expect(sum('failures')).toBe(endpoint.rejected.wrong_credentials);
    expect(sum('withheld')).toBe(endpoint.rejected.guesses_paused);
    expect(JSON.stringify(endpoint.warnings)).not.toMatch(/alice|guess|secret/);
  });
});
