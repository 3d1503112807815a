import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { once } from 'node:events';

import { SipServer } from '../../../../media/sip/sip-server';
import { createLogger } from '../../../../ops/logger';
import { Caller, OFFER } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';

import type { Socket } from 'node:net';

describe('SIP edge', () => {
  let endpoint: TestEndpoint;

  afterEach(async () => {
    SipPeer.closeAll();
    await endpoint.server.close();
    expect(endpoint.errors).toEqual([]);
  });

  async function tcp(port = endpoint.port): Promise<Socket> {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  it('listens on IPv4 and IPv6 wildcards with one port and answers on both', async () => {
    endpoint = await TestEndpoint.start({
      listen: [
        { host: '0.0.0.0', port: 0 },
        { host: '::', port: 0 },
      ],
    });
    const ports = new Set(endpoint.server.addresses.map(({ port }) => port));
    expect(ports.size).toBe(1);
    const peer = await SipPeer.udp(endpoint.port);
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200);
    peer.close();
    if (endpoint.server.addresses.length < 2) return; // A machine without IPv6.
    const socket = createSocket('udp6');
    const answered = once(socket, 'message');
    const request = new Caller(peer, endpoint.port).request('OPTIONS').replaceAll('127.0.0.1', '[::1]');
    socket.send(request, endpoint.port, '::1');
    expect(String((await answered)[0])).toMatch(/^SIP\/2\.0 200 OK\r\nVia: .*received=::1/);
    socket.close();
  });

  it('says on which addresses it listens', async () => {
    const logged: object[] = [];
    const logger = createLogger({
      name: 'media',
      destination: { write: (line) => logged.push(JSON.parse(line) as object) },
    });
    endpoint = await TestEndpoint.start({ logger });
    const addresses = [{ host: '127.0.0.1', port: endpoint.port }];
    expect(logged).toMatchObject([{ level: 'info', msg: 'SIP sockets are open', addresses }]);
  });

  it('answers with 482 also while it asks for the route to a new peer', async () => {
    endpoint = await TestEndpoint.start({ listen: [{ host: '0.0.0.0', port: 0 }], authentication: 'none' });
    const peer = await SipPeer.udp(endpoint.port);
    const caller = new Caller(peer, endpoint.port);
    peer.send(caller.invite());
    peer.send(caller.request('INVITE', { body: OFFER }));
    await peer.response(482);
    expect(endpoint.calls).toHaveLength(1);
    endpoint.calls[0]!.dialog.reject(480);
    peer.send(caller.ackRefusal(await peer.response(480)));
  });

  it('says which port is taken and leaves nothing open', async () => {
    endpoint = await TestEndpoint.start();
    const second = new SipServer({
      listen: [{ host: '127.0.0.1', port: endpoint.port }],
      nonceKey: Buffer.alloc(32),
      delegate: {
        onInvite: () => {},
        credentials: () => undefined,
        availability: () => ({ available: true, retryAfterSeconds: 1 }),
      },
    });
    await expect(second.start()).rejects.toThrow(`SIP cannot listen on 127.0.0.1 port ${endpoint.port}: EADDRINUSE`);
    await second.close();
  });

  it('answers to the port of Via without rport and to the source port with it', async () => {
    endpoint = await TestEndpoint.start();
    const listener = await SipPeer.udp(endpoint.port);
    const sender = await SipPeer.udp(endpoint.port);
    const caller = new Caller(sender, endpoint.port);
    sender.send(caller.request('OPTIONS').replace(`127.0.0.1:${sender.port};rport`, `127.0.0.1:${listener.port}`));
    await listener.response(200);
    sender.send(caller.request('OPTIONS').replace(`127.0.0.1:${sender.port};rport`, 'pbx.invalid;rport'));
    const answer = await sender.response(200);
    expect(answer.first('via')).toContain(`;rport=${sender.port}`);
    expect(answer.first('via')).toContain(';received=127.0.0.1');
    listener.close();
    sender.close();
  });

  it('frames pieces and several messages of a stream, and answers a ping with a pong', async () => {
    endpoint = await TestEndpoint.start();
    const peer = await SipPeer.tcp(endpoint.port);
    const caller = new Caller(peer, endpoint.port);
    const bytes = Buffer.from(`\r\n\r\n${caller.request('OPTIONS')}${caller.request('OPTIONS')}`);
    for (let at = 0; at < bytes.length; at += 97) {
      peer.send(bytes.subarray(at, at + 97));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await peer.response(200);
    await peer.response(200);
    peer.close();
    const socket = await tcp();
    socket.write('\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toBe('\r\n');
    socket.destroy();
  });

  it('keeps a busy connection of which no piece ends with a message', async () => {
    endpoint = await TestEndpoint.start({ tcpLimits: { messageMs: 100 } });
    const peer = await SipPeer.tcp(endpoint.port);
    const text = new Caller(peer, endpoint.port).request('OPTIONS');
    peer.send(text.slice(0, 50));
    for (let i = 0; i < 10; i++) {
      peer.send(text.slice(50) + text.slice(0, 50));
      await peer.response(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    peer.send(text.slice(50));
    await peer.response(200);
    peer.close();
  });

  it('refuses a stream message without Content-Length', async () => {
    endpoint = await TestEndpoint.start();
    const peer = await SipPeer.tcp(endpoint.port);
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS').replace('Content-Length: 0\r\n', ''));
    await peer.response(400);
    peer.close();
  });

  it('closes connections that send too much, too slowly, nothing but keep-alives, or nothing', async () => {
    endpoint = await TestEndpoint.start({
      tcpLimits: { messageMs: 60, idleMs: 1_000 },
    });
    const endless = await tcp();
    endless.write(`OPTIONS sip:x SIP/2.0\r\nX: ${'x'.repeat(200_000)}`);
    // With bytes of it unread the connection may be reset.
    await new Promise((resolve) => endless.once('close', resolve));
    const declared = await tcp();
    declared.resume();
    declared.write('OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n');
    await once(declared, 'close');
    expect(endpoint.rejected.framing).toBeUndefined();
    const slow = await tcp();
    slow.write('OPTIONS sip:');
    await once(slow, 'close');
    const silent = await tcp();
    await once(silent, 'close');
    const pinging = await tcp();
    const pings = setInterval(() => pinging.write('\r\n\r\n'), 10);
    await new Promise((resolve) => pinging.once('close', resolve));
    clearInterval(pings);
    expect(endpoint.rejected.message_timeout).toBe(5);
    const spoke = await SipPeer.tcp(endpoint.port);
    spoke.send(new Caller(spoke, endpoint.port).request('OPTIONS'));
    await spoke.response(200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(spoke.closed).toBe(false);
    await until(() => spoke.closed);
  });

  it('drops what a source sends beyond its rate before parsing it', async () => {
    endpoint = await TestEndpoint.start({ rateLimit: { perSecond: 1, burst: 5 } });
    const peer = await SipPeer.udp(endpoint.port);
    const caller = new Caller(peer, endpoint.port);
    for (let i = 0; i < 9; i++) peer.send(caller.request('OPTIONS'));
    await until(() => (endpoint.rejected.rate_limited ?? 0) === 4);
    await until(() => peer.received.length === 5);
    expect(await peer.take((message) => 'method' in message, 50)).toBeUndefined();
  });

  it('counts garbage, ignores keep-alives and stays up', async () => {
    endpoint = await TestEndpoint.start();
    const peer = await SipPeer.udp(endpoint.port);
    for (const garbage of ['\r\n\r\n', '\0', 'GET / HTTP/1.1\r\n\r\n', 'SIP/2.0 9999 x\r\n\r\n', 'x'.repeat(5000)]) {
      peer.send(garbage);
    }
    peer.send(new Caller(peer, endpoint.port).request('OPTIONS'));
    await peer.response(200);
    expect(endpoint.rejected.unparsable).toBeGreaterThanOrEqual(3);
    peer.close();
  });
});
