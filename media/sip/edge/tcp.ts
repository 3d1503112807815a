import { createConnection, createServer, isIP } from 'node:net';

import { userNetwork } from '../../../ops/address-scope';
import { TimerSet } from '../../clock';
import { looksLikeSip } from './source-limits';
import { StreamFramer } from './stream-framer';

import type { Server, Socket } from 'node:net';
import type { Clock } from '../../clock';
import type { SipRejectReason } from '../counters';
import type { Flow, MessageSink } from './flow';
import type { SipPeer } from '../peer';
import type { SourceLimits } from './source-limits';

export interface TcpLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** The first message of a connection that was accepted, and each that began, must be complete within this. */
  readonly messageMs: number;
  /** A connection on which nothing comes is closed after this. */
  readonly idleMs: number;
  /** The same for one whose peer has registered: longer than the longest registration. */
  readonly heldIdleMs: number;
  /** What may wait to be read by a slow peer. */
  readonly maxUnsentBytes: number;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  maxConnections: 2_000,
  maxConnectionsPerSource: 500,
  messageMs: 10_000,
  idleMs: 10 * 60_000,
  heldIdleMs: 65 * 60_000,
  maxUnsentBytes: 1024 * 1024,
};

interface TcpEdgeOptions {
  readonly limits: TcpLimits;
  readonly sources: SourceLimits;
  readonly clock: Clock;
  readonly sink: MessageSink;
  readonly onRefused: (reason: SipRejectReason) => void;
}

const PONG = Buffer.from('\r\n');
/** A NAT forgets a connection on which nothing goes, and tells nobody. */
const PROBE_MS = 60_000;
/** How long a peer that did not answer is not asked for a connection again. */
const UNREACHED_MS = 5_000;

class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/**
 * Every TCP connection of the node: accepted ones and ours, reusable by peer address (RFC 3261 §18). When there are too
 * many, of all or of one source, a new one takes the place of one whose peer has not proved who it is.
 */
export class TcpConnections {
  readonly #options: TcpEdgeOptions;
  readonly #flows = new Set<TcpFlow>();
  readonly #byPeer = new Map<string, TcpFlow>();
  readonly #perSource = new Map<string, number>();
  readonly #connecting = new Map<string, Promise<Flow>>();
  /** Accepted, and without a message so far; the oldest first. */
  readonly #silent = new Set<TcpFlow>();
  /** Accepted from peers that have not proved who they are; the one that was silent for longest first. */
  readonly #strangers = new Set<TcpFlow>();

  constructor(options: TcpEdgeOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const address = socket.remoteAddress;
    const port = socket.remotePort;
    if (address === undefined || port === undefined || !this.#makeRoom(userNetwork(address))) {
      socket.destroy();
      return;
    }
    const flow = this.#add(socket, { transport: 'tcp', address, port });
    flow.expectMessage();
    this.#silent.add(flow);
  }

  /** A connection could not even be accepted. */
  refused(): void {
    this.#options.onRefused('connection_limit');
  }

  /** The peer has proved who it is: its connection makes room for nobody. */
  prove({ address, port }: SipPeer): void {
    const flow = this.#byPeer.get(peerKey(address, port));
    if (flow === undefined) return;
    this.#silent.delete(flow);
    this.#strangers.delete(flow);
  }

  /** The peer will be called over its connection. */
  hold({ address, port }: SipPeer): void {
    this.#byPeer.get(peerKey(address, port))?.hold();
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

  /** False when the table is full, or the source has its share of it, and nobody can be sent away. */
  #makeRoom(source: string): boolean {
    const { limits, onRefused } = this.#options;
    const crowded = (this.#perSource.get(source) ?? 0) >= limits.maxConnectionsPerSource;
    if (!crowded && this.#flows.size < limits.maxConnections) return true;
    onRefused('connection_limit');
    const goes = this.#leastUseful(crowded ? source : undefined);
    if (goes === undefined) return false;
    goes.destroy();
    this.#remove(goes);
    return true;
  }

  #leastUseful(source: string | undefined): TcpFlow | undefined {
    for (const candidates of [this.#silent, this.#strangers]) {
      for (const flow of candidates) {
        if (source === undefined || flow.source === source) return flow;
      }
    }
    return undefined;
  }

  #add(socket: Socket, peer: SipPeer): TcpFlow {
    const flow = new TcpFlow(socket, peer, this.#options, {
      onMessage: () => this.#heard(flow),
      onClose: () => this.#remove(flow),
    });
    this.#flows.add(flow);
    this.#byPeer.set(peerKey(peer.address, peer.port), flow);
    this.#perSource.set(flow.source, (this.#perSource.get(flow.source) ?? 0) + 1);
    return flow;
  }

  #heard(flow: TcpFlow): void {
    if (this.#silent.delete(flow) || this.#strangers.delete(flow)) this.#strangers.add(flow);
  }

  #remove(flow: TcpFlow): void {
    if (!this.#flows.delete(flow)) return;
    this.#silent.delete(flow);
    this.#strangers.delete(flow);
    const { address, port } = flow.peer;
    const key = peerKey(address, port);
    if (this.#byPeer.get(key) === flow) this.#byPeer.delete(key);
    const left = (this.#perSource.get(flow.source) ?? 1) - 1;
    if (left > 0) this.#perSource.set(flow.source, left);
    else this.#perSource.delete(flow.source);
  }
}

interface TcpFlowEvents {
  onMessage(): void;
  onClose(): void;
}

class TcpFlow implements Flow {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly peer: SipPeer;
  /** As its share of the table is counted; kept, because a crowded source has all of the table searched for its own. */
  readonly source: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #options: TcpEdgeOptions;
  readonly #framer: StreamFramer;
  readonly #listeners = new Set<(error: Error) => void>();
  readonly #timers: TimerSet<'message' | 'held'>;
  /** A message is due, whether or not it has begun. */
  #expected = false;
  #watched = false;
  /** What the read at hand has brought. */
  #messages = 0;
  #noise = 0;
  #pinged = false;
  /** Whether the last read brought noise, see `SourceLimits`. */
  #noisy = false;

  constructor(socket: Socket, peer: SipPeer, options: TcpEdgeOptions, events: TcpFlowEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
    this.peer = peer;
    this.source = userNetwork(peer.address);
    this.localAddress = socket.localAddress ?? '';
    this.#framer = new StreamFramer({
      onMessage: (message) => {
        if (looksLikeSip(message)) this.#messages += 1;
        else this.#noise += 1;
        this.#expected = false;
        this.#watchMessage(false);
        events.onMessage();
        options.sink(message, this);
      },
      onPing: () => {
        this.#noise += 1;
        this.#pinged = true;
      },
    });
    socket.setNoDelay(true);
    socket.setTimeout(options.limits.idleMs, () => this.destroy());
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#timers.clearAll();
      events.onClose();
      this.#fail(new Error('connection closed'));
      this.#listeners.clear();
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(data: Buffer): void {
    if (!this.open) throw new Error('connection is closed');
    if (this.#socket.writableLength > this.#options.limits.maxUnsentBytes) {
      this.destroy();
      throw new Error('peer does not read');
    }
    this.#socket.write(data);
  }

  onFailure(listener: (error: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A peer that connects has something to say, and is not kept when it does not. */
  expectMessage(): void {
    this.#expected = true;
    this.#watchMessage(true);
  }

  hold(): void {
    this.#socket.setTimeout(this.#options.limits.heldIdleMs);
    this.#socket.setKeepAlive(true, PROBE_MS);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Beyond its rate a peer is not read: TCP makes it wait, and nothing is lost. */
  #receive(chunk: Buffer): void {
    const waitMs = this.#options.sources.waitMs(this.peer, this.#noisy);
    if (waitMs > 0) {
      this.#options.onRefused('rate_limited');
      this.#socket.pause();
      this.#timers.arm('held', waitMs, () => this.#receive(chunk));
      return;
    }
    this.#messages = 0;
    this.#noise = 0;
    this.#pinged = false;
    try {
      this.#framer.push(chunk);
    } catch {
      // What follows cannot be framed any more: the only way out is to close, once the refusal is written.
      this.#options.onRefused('framing');
      this.#socket.pause();
      this.#socket.destroySoon();
      return;
    }
    this.#watchMessage(this.#framer.partial || this.#expected);
    this.#account();
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** However many pings came at once, one pong tells that we live; a peer that does not read gets none. */
  #account(): void {
    const noise = this.#messages === 0 ? Math.max(1, this.#noise) : this.#noise;
    this.#noisy = noise > 0;
    const room = this.#options.sources.charge(this.peer, { messages: this.#messages, noise });
    if (this.#pinged && room && this.open && this.#socket.writableLength === 0) this.#socket.write(PONG);
  }

  /** Silence, or headers that trickle in byte by byte, would otherwise hold a connection for ever. */
  #watchMessage(due: boolean): void {
    if (due === this.#watched) return;
    this.#watched = due;
    if (!due) this.#timers.clear('message');
    else this.#timers.arm('message', this.#options.limits.messageMs, () => this.#tooLate());
  }

  #tooLate(): void {
    this.#options.onRefused('message_timeout');
    this.destroy();
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
