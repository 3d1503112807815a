import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { createLimitedServer } from '../../../api/limited-server';

describe('the HTTP server of the API', () => {
  let server: Server;
  let sockets: Socket[];

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function start(limits: Parameters<typeof createLimitedServer>[1]): Promise<void> {
    sockets = [];
    server = createLimitedServer((_, response) => response.end('here'), limits);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  async function connect(): Promise<Socket> {
    const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async function answer(socket: Socket): Promise<string> {
    socket.write('GET / HTTP/1.1\r\nHost: api\r\n\r\n');
    return String((await once(socket, 'data'))[0]);
  }

  it('holds so many connections and no more, and serves those it holds', async () => {
    await start({ maxConnections: 3 });
    const held = [await connect(), await connect(), await connect()];
    const beyond = await connect();
    await once(beyond, 'close');
    for (const socket of held) expect(await answer(socket)).toContain('200 OK');
    held[0]!.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await answer(await connect())).toContain('200 OK');
  });

  it('lets go of connections that send nothing, or too slowly, by itself', async () => {
    await start({ maxConnections: 2, headersMs: 100, requestMs: 200 });
    const [silent, slow] = [await connect(), await connect()];
    slow.write('GET / HTTP/1.1\r\nHost:');
    await Promise.all([once(silent.resume(), 'close'), once(slow.resume(), 'close')]);
    expect(await answer(await connect())).toContain('200 OK');
  });

  it('has limits of its own', async () => {
    await start({});
    expect(server.maxConnections).toBe(2_000);
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 30_000]);
  });
});
