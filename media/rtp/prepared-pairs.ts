/**
 * Socket pairs that are bound ahead, so that a call gets its port without a question to the RTP thread: the main thread
 * knows them, and names the one that it takes in the same message as all else that a set-up needs. What comes to one that
 * nobody has taken is dropped.
 */
import { SocketPair } from './socket-pair';

import type { PortPool } from './port-pool';

/** Nor more than this part of the pool: whoever else needs a port must find one. */
const PART_OF_POOL = 16;
/** A node has few addresses; what it is called at besides is asked for call by call. */
const MAX_ADDRESSES = 4;

export class PreparedPairs {
  readonly #pool: PortPool;
  readonly #onPrepared: (localAddress: string, port: number) => void;
  readonly #most: number;
  readonly #byAddress = new Map<string, Map<number, SocketPair>>();
  readonly #opening = new Map<string, number>();
  #closed = false;

  constructor(pool: PortPool, most: number, onPrepared: (localAddress: string, port: number) => void) {
    this.#pool = pool;
    this.#onPrepared = onPrepared;
    this.#most = Math.min(most, Math.floor(pool.size / PART_OF_POOL));
  }

  /** Undefined when it was never prepared. */
  take(localAddress: string, port: number): SocketPair | undefined {
    const pairs = this.#byAddress.get(localAddress);
    const pair = pairs?.get(port);
    pairs?.delete(port);
    this.prepare(localAddress);
    return pair;
  }

  /** As many as are to be there, once half of them are gone. */
  prepare(localAddress: string): void {
    let pairs = this.#byAddress.get(localAddress);
    if (pairs === undefined) {
      if (this.#byAddress.size === MAX_ADDRESSES || this.#most === 0) return;
      pairs = new Map();
      this.#byAddress.set(localAddress, pairs);
    }
    const opening = this.#opening.get(localAddress) ?? 0;
    const missing = this.#most - pairs.size - opening;
    if (this.#closed || missing < this.#most / 2) return;
    this.#opening.set(localAddress, opening + missing);
    for (let i = 0; i < missing; i++) void this.#open(localAddress, pairs);
  }

  close(): void {
    this.#closed = true;
    for (const pairs of this.#byAddress.values()) for (const pair of pairs.values()) pair.close();
    this.#byAddress.clear();
  }

  async #open(localAddress: string, pairs: Map<number, SocketPair>): Promise<void> {
    // None is to be had: the next call asks for one, and is told why.
    const pair = await SocketPair.open(this.#pool, localAddress).catch(() => null);
    this.#opening.set(localAddress, (this.#opening.get(localAddress) ?? 1) - 1);
    if (pair === null) return;
    if (this.#closed) {
      pair.close();
      return;
    }
    pairs.set(pair.port, pair);
    this.#onPrepared(localAddress, pair.port);
  }
}
