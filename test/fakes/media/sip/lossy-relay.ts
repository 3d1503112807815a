import { createSocket } from 'node:dgram';

import type { Socket } from 'node:dgram';

/** Numbers in [0, 1) that are the same for a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A UDP relay between one client and one server that loses a seeded share of the datagrams each way. */
export class LossyRelay {
  readonly #front: Socket = createSocket('udp4');
  readonly #back: Socket = createSocket('udp4');
  #client: { readonly address: string; readonly port: number } | undefined;
  lost = 0;
  relayed = 0;

  static async start(serverPort: number, loss: number, seed: number): Promise<LossyRelay> {
    const relay = new LossyRelay();
    const random = seededRandom(seed);
    const pass = (send: () => void): void => {
      if (random() < loss) relay.lost += 1;
      else {
        relay.relayed += 1;
        send();
      }
    };
    relay.#front.on('message', (bytes, from) => {
      relay.#client = from;
      pass(() => relay.#back.send(bytes, serverPort, '127.0.0.1'));
    });
    relay.#back.on('message', (bytes) => {
      const to = relay.#client;
      if (to !== undefined) pass(() => relay.#front.send(bytes, to.port, to.address));
    });
    for (const socket of [relay.#front, relay.#back]) {
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    }
    return relay;
  }

  get port(): number {
    return this.#front.address().port;
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }
}
