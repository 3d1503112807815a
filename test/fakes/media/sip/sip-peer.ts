import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';

import { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';

import type { Socket as UdpSocket } from 'node:dgram';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';

type Message = SipRequest | SipResponse;

/** The other end of a wire in tests: writes bytes, reads parsed messages in the order of their arrival. */
export class SipPeer {
  static readonly #open = new Set<SipPeer>();
  readonly #send: (bytes: Buffer) => void;
  readonly #closeSocket: () => void;
  readonly port: number;
  readonly transport: 'UDP' | 'TCP';
  readonly received: Message[] = [];
  #wake: (() => void) | undefined;

  private constructor(transport: 'UDP' | 'TCP', port: number, send: (bytes: Buffer) => void, closeSocket: () => void) {
    this.transport = transport;
    this.port = port;
    this.#send = send;
    this.#closeSocket = closeSocket;
    SipPeer.#open.add(this);
  }

  /** @param target port that `send` goes to; 0: whoever was heard last */
  static async udp(target = 0, address = '127.0.0.1'): Promise<SipPeer> {
    const socket: UdpSocket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    let to = target;
    const peer = new SipPeer(
      'UDP',
      socket.address().port,
      (bytes) => socket.send(bytes, to, '127.0.0.1'),
      () => socket.close(),
    );
    socket.on('message', (bytes, from) => {
      if (target === 0) to = from.port;
      peer.#push(bytes);
    });
    return peer;
  }

  static async tcp(target: number): Promise<SipPeer> {
    const socket: TcpSocket = createConnection(target, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.setNoDelay(true);
    socket.on('error', () => {});
    const peer = new SipPeer(
      'TCP',
      socket.localPort ?? 0,
      (bytes) => socket.write(bytes),
      () => socket.destroy(),
    );
    peer.#readStream(socket);
    return peer;
  }

  /** Is connected to, and sends over the last connection. */
  static async tcpServer(): Promise<SipPeer> {
    const sockets: TcpSocket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      peer.#readStream(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const peer = new SipPeer(
      'TCP',
      (server.address() as AddressInfo).port,
      (bytes) => sockets.at(-1)?.write(bytes),
      () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    );
    return peer;
  }

  closed = false;

  send(message: string | Buffer): void {
    this.#send(typeof message === 'string' ? Buffer.from(message, 'latin1') : message);
  }

  /** Takes the first message that fits, waiting for it; undefined when none comes in time. */
  async take<T extends Message = Message>(
    fits: (message: Message) => boolean = () => true,
    timeoutMs = 2_000,
  ): Promise<T | undefined> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const index = this.received.findIndex(fits);
      if (index >= 0) return this.received.splice(index, 1)[0] as T;
      const left = deadline - Date.now();
      if (left <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async response(status: number, method?: string, timeoutMs?: number): Promise<SipResponse> {
    const found = await this.take<SipResponse>(
      (message) =>
        message instanceof SipResponse &&
        message.status === status &&
        (method === undefined || message.cseq?.method === method),
      timeoutMs,
    );
    if (found === undefined) {
      const seen = this.received.map((message) => (message instanceof SipResponse ? message.status : message.method));
      throw new Error(`no ${status} came; in the queue: ${seen.join(' ')}`);
    }
    return found;
  }

  async request(method: string, timeoutMs?: number): Promise<SipRequest> {
    const found = await this.take<SipRequest>(
      (message) => message instanceof SipRequest && message.method === method,
      timeoutMs,
    );
    if (found === undefined) throw new Error(`no ${method} came`);
    return found;
  }

  /** For `afterEach`: whatever a failed test left open would keep the process alive. */
  static closeAll(): void {
    for (const peer of SipPeer.#open) peer.close();
  }

  close(): void {
    if (SipPeer.#open.delete(this)) this.#closeSocket();
  }

  #readStream(socket: TcpSocket): void {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) break;
        const length = Number(/content-length:\s*(\d+)/i.exec(pending.toString('latin1', 0, end))?.[1] ?? 0);
        if (pending.length < end + 4 + length) break;
        this.#push(pending.subarray(0, end + 4 + length));
        pending = pending.subarray(end + 4 + length);
      }
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake?.();
    });
  }

  #push(bytes: Buffer): void {
    this.received.push(parseMessage(bytes));
    this.#wake?.();
  }
}
