import { createConnection, createServer, isIP } from 'node:net';

import { StreamFramer } from './stream-framer';

import type { Server, Socket } from 'node:net';
import type { SipRejectReason } from '../counters';
import type { Flow, MessageSink } from './flow';
import type { SipPeer } from '../peer';

export interface TcpLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** A message that began must be complete within this. */
  readonly partialMessageMs: number;
  /** A connection without any message is closed after this. */
  readonly idleMs: number;
  /** What may wait to be read by a slow peer. */
  readonly maxUnsentBytes: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  maxConnections: 2_000,
  maxConnectionsPerSource: 500,
  partialMessageMs: 10_000,
  idleMs: 10 * 60_000,
  maxUnsentBytes: 1024 * 1024,
};

interface TcpEdgeOptions {
  readonly limits: TcpLimits;
  readonly sink: MessageSink;
  readonly onRefused: (reason: SipRejectReason) => void;
}

const PONG = Buffer.from('\r\n');
/** How long a peer that did not answer is not asked for a connection again. */
const UNREACHED_MS = 5_000;

class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** Every TCP connection of the node: accepted ones and ours, reusable by peer address (RFC 3261 §18). */
export class TcpConnections {
  readonly #options: TcpEdgeOptions;
  readonly #flows = new Set<TcpFlow>();
  readonly #byPeer = new Map<string, TcpFlow>();
  readonly #perSource = new Map<string, number>();
  readonly #connecting = new Map<string, Promise<Flow>>();

  constructor(options: TcpEdgeOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const address = socket.remoteAddress;
    const port = socket.remotePort;
    const { limits, onRefused } = this.#options;
    if (address === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    const fromSource = this.#perSource.get(address) ?? 0;
    if (this.#flows.size >= limits.maxConnections || fromSource >= limits.maxConnectionsPerSource) {
      onRefused('connection_limit');
      socket.destroy();
      return;
    }
    this.#add(socket, { transport: 'tcp', address, port });
  }

  /** A connection could not even be accepted. */
  refused(): void {
    this.#options.onRefused('connection_limit');
  }

  /**
   * An open connection to the peer, or a new one; whoever wants the same meanwhile gets the same. That a peer was not
   * reached in time stands for a while: each who asks would wait in vain. @throws Error when it is not reached in time
   */
  async connect(address: string, port: number, timeoutMs: number): Promise<Flow> {
    const key = peerKey(address, port);
    const known = this.#byPeer.get(key);
    if (known?.open) return known;
    const begun = this.#connecting.get(key);
    if (begun !== undefined) return begun;
    const forget = (): boolean => this.#connecting.delete(key);
    const flow = dial(address, port, timeoutMs).then((socket) =>
      this.#add(socket, { transport: 'tcp', address, port }),
    );
    this.#connecting.set(key, flow);
    flow.then(forget, (error: unknown) => {
      if (error instanceof ConnectTimeout) setTimeout(forget, UNREACHED_MS).unref();
      else forget();
    });
    return flow;
  }

  find(address: string, port: number): Flow | undefined {
    const flow = this.#byPeer.get(peerKey(address, port));
    return flow?.open ? flow : undefined;
  }

  close(): void {
    for (const flow of this.#flows) flow.destroy();
  }

  #add(socket: Socket, peer: SipPeer): TcpFlow {
    const key = peerKey(peer.address, peer.port);
    const flow = new TcpFlow(socket, peer, this.#options, () => {
      this.#flows.delete(flow);
      if (this.#byPeer.get(key) === flow) this.#byPeer.delete(key);
      const left = (this.#perSource.get(peer.address) ?? 1) - 1;
      if (left > 0) this.#perSource.set(peer.address, left);
      else this.#perSource.delete(peer.address);
    });
    this.#flows.add(flow);
    this.#byPeer.set(key, flow);
    this.#perSource.set(peer.address, (this.#perSource.get(peer.address) ?? 0) + 1);
    return flow;
  }
}

class TcpFlow implements Flow {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly peer: SipPeer;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #limits: TcpLimits;
  readonly #listeners = new Set<(error: Error) => void>();
  #partialTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: SipPeer, options: TcpEdgeOptions, onClose: () => void) {
    this.#socket = socket;
    this.#limits = options.limits;
    this.peer = peer;
    this.localAddress = socket.localAddress ?? '';
    const framer = new StreamFramer({
      onMessage: (message) => {
        this.#watchPartial(false);
        options.sink(message, this);
      },
      onPing: () => this.#socket.write(PONG),
    });
    socket.setNoDelay(true);
    socket.setTimeout(options.limits.idleMs, () => this.destroy());
    socket.on('data', (chunk) => {
      try {
        framer.push(chunk);
      } catch {
        // What follows cannot be framed any more: the only way out is to close, once the refusal is written.
        options.onRefused('framing');
        socket.pause();
        socket.destroySoon();
        return;
      }
      this.#watchPartial(framer.partial);
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      clearTimeout(this.#partialTimer);
      onClose();
      this.#fail(new Error('connection closed'));
      this.#listeners.clear();
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(data: Buffer): void {
    if (!this.open) throw new Error('connection is closed');
    if (this.#socket.writableLength > this.#limits.maxUnsentBytes) {
      this.destroy();
      throw new Error('peer does not read');
    }
    this.#socket.write(data);
  }

  onFailure(listener: (error: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Headers that trickle in byte by byte would otherwise hold a connection for ever. */
  #watchPartial(partial: boolean): void {
    if (!partial) {
      clearTimeout(this.#partialTimer);
      this.#partialTimer = undefined;
    } else {
      this.#partialTimer ??= setTimeout(() => this.destroy(), this.#limits.partialMessageMs);
    }
  }

  #fail(error: Error): void {
    for (const listener of this.#listeners) listener(error);
  }
}

export async function listenTcp(address: string, port: number, connections: TcpConnections): Promise<Server> {
  const server = createServer((socket) => connections.accept(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, ipv6Only: isIP(address) === 6 }, () => {
      server.off('error', reject);
      // Running out of descriptors refuses a connection, it does not end the node.
      server.on('error', () => connections.refused());
      resolve();
    });
  });
  return server;
}

function dial(address: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port });
    const timer = setTimeout(() => socket.destroy(new ConnectTimeout('connection timed out')), timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function peerKey(address: string, port: number): string {
  return `${address} ${port}`;
}
