import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

import { isUnspecified } from '../../../ops/address-scope';

import type { Socket, SocketOptions } from 'node:dgram';
import type { Flow, MessageSink } from './flow';
import type { SipPeer } from '../peer';

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const NO_LISTENER = (): void => {};

/** Addresses reach us resolved; dgram would otherwise ask the resolver before each packet, one tick later. */
const literalOnly: NonNullable<SocketOptions['lookup']> = (host, _options, callback) => {
  callback(null, host, isIP(host));
};

function open(address: string, reuseAddr: boolean): Socket {
  const ipv6 = isIP(address) === 6;
  return createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6, reuseAddr, lookup: literalOnly });
}

function bind(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function connect(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error) => {
      if (error === undefined || error === null) resolve();
      else reject(error);
    });
  });
}

/** One listening UDP socket. */
export class UdpListener {
  readonly #socket: Socket;
  readonly #sink: MessageSink;
  readonly #connected = new Map<string, Promise<ConnectedUdp | null>>();
  #closed = false;
  readonly address: string;
  readonly port: number;

  private constructor(socket: Socket, sink: MessageSink) {
    this.#socket = socket;
    this.#sink = sink;
    const bound = socket.address();
    this.address = bound.address;
    this.port = bound.port;
    socket.on('message', (bytes, from) => {
      sink(bytes, new UdpFlow(this, { transport: 'udp', address: from.address, port: from.port }));
    });
    // A send to a peer that is gone must not end the process; callers of connected flows learn of it there.
    socket.on('error', NO_LISTENER);
  }

  /** @throws Error EADDRINUSE and the like */
  static async bind(address: string, port: number, sink: MessageSink): Promise<UdpListener> {
    // SO_REUSEADDR lets ConnectedUdp share the port. A second node is kept off by the TCP listener on the same port.
    const socket = open(address, true);
    try {
      await bind(socket, port, address);
    } catch (error) {
      socket.close();
      throw error;
    }
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // The system's limit is lower; its own default stays.
    }
    return new UdpListener(socket, sink);
  }

  get ipv6(): boolean {
    return isIP(this.address) === 6;
  }

  send(data: Buffer, peer: SipPeer): void {
    if (this.#closed) throw new Error('UDP socket is closed');
    this.#socket.send(data, peer.port, peer.address, NO_LISTENER);
  }

  flowTo(address: string, port: number): Flow {
    return new UdpFlow(this, { transport: 'udp', address, port });
  }

  /**
   * A flow that hears of ICMP errors. Linux tells them only to connected sockets, so one is bound to our own port and
   * connected to the peer; the kernel hands it what this peer sends, and it feeds the same sink as the listener.
   */
  async connectedFlow(localAddress: string, address: string, port: number): Promise<Flow> {
    const key = `${address} ${port}`;
    let shared = this.#connected.get(key);
    if (shared === undefined) {
      shared = ConnectedUdp.open(this, localAddress, { transport: 'udp', address, port }, this.#sink, () => {
        if (this.#connected.get(key) === shared) this.#connected.delete(key);
      }).catch(() => null);
      this.#connected.set(key, shared);
    }
    const connected = await shared;
    if (connected === null) {
      this.#connected.delete(key);
      return this.flowTo(address, port);
    }
    connected.touch();
    return connected;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const shared of this.#connected.values()) (await shared)?.close();
    this.#connected.clear();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly open = true;
  readonly peer: SipPeer;
  readonly #listener: UdpListener;

  constructor(listener: UdpListener, peer: SipPeer) {
    this.#listener = listener;
    this.peer = peer;
  }

  get localAddress(): string {
    return this.#listener.address;
  }

  send(data: Buffer): void {
    this.#listener.send(data, this.peer);
  }

  onFailure(): () => void {
    return NO_LISTENER;
  }
}

/** Idle connected sockets are closed after this; every INVITE to the peer begins it anew. */
const CONNECTED_LINGER_MS = 60_000;

class ConnectedUdp implements Flow {
  readonly transport = 'udp';
  readonly reliable = false;
  readonly peer: SipPeer;
  readonly localAddress: string;
  readonly open = true;
  readonly #listener: UdpListener;
  readonly #socket: Socket;
  readonly #onClose: () => void;
  readonly #listeners = new Set<(error: Error) => void>();
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(listener: UdpListener, socket: Socket, peer: SipPeer, sink: MessageSink, onClose: () => void) {
    this.#listener = listener;
    this.#socket = socket;
    this.#onClose = onClose;
    this.peer = peer;
    this.localAddress = socket.address().address;
    socket.on('message', (bytes, from) => {
      // Before the connect took effect the socket may have been handed another peer's datagram.
      const own = from.port === peer.port && from.address === peer.address;
      sink(bytes, own ? this : listener.flowTo(from.address, from.port));
    });
    socket.on('error', (error) => this.#fail(error));
  }

  static async open(
    listener: UdpListener,
    localAddress: string,
    peer: SipPeer,
    sink: MessageSink,
    onClose: () => void,
  ): Promise<ConnectedUdp> {
    const socket = open(peer.address, true);
    try {
      await bind(socket, listener.port, localAddress);
      const connected = new ConnectedUdp(listener, socket, peer, sink, onClose);
      await connect(socket, peer.port, peer.address);
      return connected;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  touch(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#listeners.size > 0) this.touch();
      else this.close();
    }, CONNECTED_LINGER_MS);
    this.#linger.unref();
  }

  send(data: Buffer): void {
    if (this.#closed) return this.#listener.send(data, this.peer);
    this.#socket.send(data, (error) => {
      if (error) this.#fail(error);
    });
  }

  onFailure(listener: (error: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#onClose();
    this.#socket.close();
  }

  #fail(error: Error): void {
    for (const listener of this.#listeners) listener(error);
  }
}

/** Local address of the route to `address`, as the kernel would choose it; nothing is sent. */
export async function routeAddress(address: string, port: number): Promise<string> {
  const socket = open(address, false);
  try {
    await connect(socket, port === 0 ? 9 : port, address);
    const local = socket.address().address;
    return isUnspecified(local) ? address : local;
  } finally {
    socket.close();
  }
}
