/**
 * A UDP relay between clients and one server that loses and delays datagrams in a reproducible way. Each client gets a
 * socket of its own toward the server, as behind a NAT.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import type { RemoteInfo, Socket } from 'node:dgram';

import { seededRandom } from './seeded-random';

export interface UdpRelayOptions {
  readonly target: { readonly address: string; readonly port: number };
  /** Share lost each way, 0..1. */
  readonly loss?: number;
  /** Uniform extra delay each way, which reorders; default none. */
  readonly delayMs?: { readonly min: number; readonly max: number };
  readonly seed?: number;
}

export interface UdpRelay {
  readonly port: number;
  readonly counts: { forwarded: number; lost: number };
  close(): void;
}

export async function openUdpRelay(options: UdpRelayOptions): Promise<UdpRelay> {
  const { target, loss = 0, delayMs } = options;
  // One sequence per way: what is lost one way does not depend on when the other way answers.
  const toServer = seededRandom(options.seed ?? 1);
  const toClient = seededRandom((options.seed ?? 1) + 1);
  const counts = { forwarded: 0, lost: 0 };
  const timers = new Set<NodeJS.Timeout>();
  const upstream = new Map<string, Promise<Socket>>();

  const pass = (random: () => number, send: () => void): void => {
    if (random() < loss) {
      counts.lost++;
      return;
    }
    counts.forwarded++;
    if (delayMs === undefined) {
      send();
      return;
    }
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        send();
      },
      delayMs.min + random() * (delayMs.max - delayMs.min),
    );
    timers.add(timer);
  };

  const front = createSocket('udp4');
  const openUpstream = async (client: RemoteInfo): Promise<Socket> => {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => pass(toClient, () => front.send(bytes, client.port, client.address)));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  };
  front.on('error', () => undefined);
  front.on('message', (bytes, client) => {
    const key = `${client.address}:${client.port}`;
    let socket = upstream.get(key);
    if (socket === undefined) upstream.set(key, (socket = openUpstream(client)));
    void socket.then((open) => pass(toServer, () => open.send(bytes, target.port, target.address)));
  });
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    port: front.address().port,
    counts,
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      front.close();
      for (const socket of upstream.values()) void socket.then((open) => open.close());
    },
  };
}
