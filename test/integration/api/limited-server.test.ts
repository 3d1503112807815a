import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { createLimitedServer } from '../../../api/limited-server';
import { allowUpload } from '../../../api/request-clock';
import { errorBody } from '../../../api/schemas/primitives';

type Settings = Parameters<typeof createLimitedServer>[1] & { readonly listener?: RequestListener };

describe('the HTTP server of the API', () => {
  let server: Server;
  let sockets: Socket[];

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function start({ listener, ...limits }: Settings): Promise<void> {
    sockets = [];
    server = createLimitedServer(listener ?? ((_, response) => response.end('here')), limits);
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

  it.each([
    ['a path that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'request_headers_too_large'],
    [
      'a header that is too long',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'request_headers_too_large',
    ],
    ['a header that is none', 'GET / HTTP/1.1\r\nHost: api\r\nno header\r\n\r\n', 400, 'malformed_request'],
    ['a length that is none', 'POST / HTTP/1.1\r\nHost: api\r\nContent-Length: x\r\n\r\n', 400, 'malformed_request'],
    ['no HTTP', 'INVITE sip:api SIP/2.0\r\n\r\n', 400, 'malformed_request'],
    ['headers that never end', 'GET / HTTP/1.1\r\nHost:', 408, 'request_timeout'],
    ['a body that never ends', 'POST / HTTP/1.1\r\nHost: api\r\nContent-Length: 9\r\n\r\nx', 408, 'request_timeout'],
    [
      'a chunk of extensions',
      `POST / HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
      413,
      'body_too_large',
    ],
  ])('answers %s as every other error, and closes', async (_, text, status, code) => {
    await start({ headersMs: 200, requestMs: 400, listener: (request) => void request.resume() });
    const socket = await connect();
    socket.write(text);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => void chunks.push(chunk));
    await once(socket, 'close');
    const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(errorBody.parse(JSON.parse(body))).toMatchObject({ statusCode: status, code });
    expect(head).toContain(`X-Request-Id: ${JSON.parse(body).requestId}\r\n`);
  });

  it('gives an upload the time it takes while it goes on, and not when it stops', async () => {
    const listener: RequestListener = (request, response) => {
      allowUpload(request, { idleMs: 150, totalMs: 1500 });
      request.resume().on('end', () => response.end('whole'));
    };
    await start({ requestMs: 100, listener });
    const send = async (times: number, length: number): Promise<string> => {
      const socket = await connect();
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => void chunks.push(chunk));
      socket.write(`POST / HTTP/1.1\r\nHost: api\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
      for (let n = 0; n < times && socket.writable; n += 1) {
        socket.write('x');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      if (!socket.closed) await once(socket, 'close');
      return Buffer.concat(chunks).toString();
    };
    const [steady, stopped, endless] = await Promise.all([send(12, 12), send(3, 12), send(100, 100)]);
    expect(steady).toContain('whole');
    expect(stopped).toContain('408 Request Timeout');
    expect(endless).toContain('408 Request Timeout');
  });

  it('writes nothing into an answer that is under way', async () => {
    await start({ listener: (_, response) => void response.writeHead(200, { 'Content-Length': 10 }).write('here') });
    const socket = await connect();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => void chunks.push(chunk));
    socket.write('GET / HTTP/1.1\r\nHost: api\r\n\r\n');
    await once(socket, 'data');
    socket.write('no HTTP\r\n\r\n');
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/\r\n\r\nhere$/);
  });

  it('has limits of its own', async () => {
    await start({});
    expect(server.maxConnections).toBe(2_000);
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 0]);
  });
});
