import { isIP } from 'node:net';

import { addressScope, isUnspecified } from '../../../ops/address-scope';
import { SourceLimits } from './source-limits';
import { DEFAULT_TCP_LIMITS, listenTcp, TcpConnections } from './tcp';
import { routeAddress, UdpListener } from './udp';

import type { Server } from 'node:net';
import type { RateLimit } from '../../../ops/token-bucket';
import type { Clock } from '../../clock';
import type { SipRejectReason } from '../counters';
import type { Flow, MessageSink } from './flow';
import type { TcpLimits } from './tcp';

export interface SipListenAddress {
  readonly host: string;
  readonly port: number;
}

interface SipEdgeOptions {
  readonly listen: readonly SipListenAddress[];
  readonly sink: MessageSink;
  readonly onRefused: (reason: SipRejectReason) => void;
  readonly rateLimit: RateLimit;
  readonly clock: Clock;
  readonly tcpLimits?: Partial<TcpLimits>;
}

const MAX_ROUTES = 10_000;
const PORT_ZERO_TRIES = 10;

/** All sockets of the SIP side of a node. Owns them; closing it closes them. */
export class SipEdge {
  readonly #options: SipEdgeOptions;
  readonly #sources: SourceLimits;
  readonly #connections: TcpConnections;
  readonly #udp: UdpListener[] = [];
  readonly #servers: Server[] = [];
  readonly #routes = new Map<string, string>();
  readonly #noTcp = new Set<string>();

  constructor(options: SipEdgeOptions) {
    this.#options = options;
    this.#sources = new SourceLimits(options.rateLimit, options.clock);
    this.#connections = new TcpConnections({
      sources: this.#sources,
      clock: options.clock,
      limits: { ...DEFAULT_TCP_LIMITS, ...options.tcpLimits },
      sink: options.sink,
      onRefused: options.onRefused,
    });
  }

  /** Bound UDP addresses; TCP listens on the same. */
  get addresses(): readonly SipListenAddress[] {
    return this.#udp.map(({ address, port }) => ({ host: address, port }));
  }

  /** @throws Error naming the address that could not be bound; nothing stays open then */
  async start(): Promise<void> {
    try {
      for (const { host, port } of this.#options.listen) {
        try {
          await this.#listen(host, port);
        } catch (error) {
          // A host without IPv6 still serves IPv4 when both wildcards are asked for.
          const code = (error as NodeJS.ErrnoException).code;
          const noSuchFamily = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
          if (host === '::' && noSuchFamily && this.#options.listen.length > 1) continue;
          throw new Error(`SIP cannot listen on ${host} port ${port}: ${code ?? String(error)}`, { cause: error });
        }
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** The peer of this flow has proved who it is: no stranger takes its place or uses up what it may send. */
  prove({ peer }: Flow): void {
    this.#sources.prove(peer);
    if (peer.transport === 'tcp') this.#connections.prove(peer);
  }

  /** The flow is how its peer is called: a connection stays open over the silence between two registrations. */
  hold({ peer }: Flow): void {
    if (peer.transport === 'tcp') this.#connections.hold(peer);
  }

  /** What was handed on could not be parsed. */
  noteUnparsable(bytes: Buffer, { peer }: Flow): void {
    this.#sources.unparsable(bytes, peer);
  }

  udpFlow(address: string, port: number): Flow {
    return this.#udpListener(address).flowTo(address, port);
  }

  /** A UDP flow that reports ICMP errors, see UdpListener. */
  async watchedUdpFlow(address: string, port: number): Promise<Flow> {
    return this.#udpListener(address).connectedFlow(await this.localAddress(address), address, port);
  }

  tcpFlow(address: string, port: number, timeoutMs: number): Promise<Flow> {
    return this.#connections.connect(address, port, timeoutMs);
  }

  /** Whether a long request should try TCP: not where it was refused before (RFC 3261 §18.1.1). */
  mayTryTcp(address: string, port: number): boolean {
    return !this.#noTcp.has(`${address} ${port}`);
  }

  noteNoTcp(address: string, port: number): void {
    if (this.#noTcp.size >= MAX_ROUTES) this.#noTcp.clear();
    this.#noTcp.add(`${address} ${port}`);
  }

  openTcpFlow(address: string, port: number): Flow | undefined {
    return this.#connections.find(address, port);
  }

  /** Port that peers reach us at. */
  get port(): number {
    return this.#udp[0]?.port ?? 0;
  }

  /** Our address on the route to `peer` when it is known without asking the kernel. */
  knownLocalAddress(flow: Flow): string | undefined {
    if (!isUnspecified(flow.localAddress)) return flow.localAddress;
    return this.#routes.get(flow.peer.address);
  }

  async localAddress(address: string): Promise<string> {
    const listener = this.#udpListener(address);
    if (!isUnspecified(listener.address)) return listener.address;
    const known = this.#routes.get(address);
    if (known !== undefined) return known;
    const local = await routeAddress(address, 0);
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(address, local);
    return local;
  }

  async close(): Promise<void> {
    this.#connections.close();
    const servers = this.#servers.splice(0).map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
        }),
    );
    const sockets = this.#udp.splice(0).map((listener) => listener.close());
    await Promise.all([...servers, ...sockets]);
  }

  /** TCP first: UDP ports are shared (see UdpListener), so only TCP notices a second node on the same port. */
  async #listen(host: string, wanted: number): Promise<void> {
    const asked = wanted === 0 ? this.port : wanted;
    for (let attempt = 1; ; attempt++) {
      const server = await listenTcp(host, asked, this.#connections);
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : asked;
      try {
        this.#udp.push(await UdpListener.bind(host, port, (bytes, flow) => this.#receiveDatagram(bytes, flow)));
        this.#servers.push(server);
        return;
      } catch (error) {
        await new Promise<void>((resolve) => server.close(() => resolve()));
        if (asked !== 0 || attempt >= PORT_ZERO_TRIES) throw error;
      }
    }
  }

  #receiveDatagram(bytes: Buffer, flow: Flow): void {
    if (this.#sources.admits(bytes, flow.peer)) this.#options.sink(bytes, flow);
    else this.#options.onRefused('rate_limited');
  }

  #udpListener(address: string): UdpListener {
    const ipv6 = isIP(address) === 6;
    const sameFamily = this.#udp.filter((candidate) => candidate.ipv6 === ipv6);
    // A socket bound to loopback reaches nothing else, and none bound elsewhere reaches loopback.
    const loopback = addressScope(address) === 'loopback';
    const reaches = (candidate: UdpListener): boolean =>
      isUnspecified(candidate.address) || (addressScope(candidate.address) === 'loopback') === loopback;
    const listener = sameFamily.find(reaches) ?? sameFamily[0];
    if (listener === undefined) throw new Error(`no SIP listener for ${ipv6 ? 'IPv6' : 'IPv4'}`);
    return listener;
  }
}
