/** TCP connections to a SIP port that say little or nothing, from many addresses of the loopback network. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { token, writeSip } from '../phone/sip-text';

/** Silent, in the middle of a message for ever, or silent after a whole one. */
const MANNERS = ['silent', 'half', 'spoken'] as const;
type Manner = (typeof MANNERS)[number];

export interface IdleCounts {
  readonly opened: number;
  /** Whole messages that were answered. */
  readonly answered: number;
  readonly closedByPeer: number;
  readonly refused: number;
  readonly open: Readonly<Record<Manner, number>>;
}

const AT_ONCE = 20;

export class IdleConnections {
  readonly #server: { readonly address: string; readonly port: number };
  readonly #sockets = new Map<Socket, Manner>();
  #opened = 0;
  #answered = 0;
  #closedByPeer = 0;
  #refused = 0;
  #closing = false;

  constructor(server: { readonly address: string; readonly port: number }) {
    this.#server = server;
  }

  get counts(): IdleCounts {
    return {
      opened: this.#opened,
      answered: this.#answered,
      closedByPeer: this.#closedByPeer,
      refused: this.#refused,
      open: { silent: this.#open('silent'), half: this.#open('half'), spoken: this.#open('spoken') },
    };
  }

  /** One after the other from the addresses, the manners in turn, as many a second. */
  async open(connections: number, addresses: readonly string[], perSecond: number): Promise<void> {
    const beganMs = performance.now();
    for (let n = 0; n < connections; n += AT_ONCE) {
      const few = Array.from({ length: Math.min(AT_ONCE, connections - n) }, (_, i) => n + i);
      await Promise.all(
        few.map((i) =>
          this.#openOne(addresses[i % addresses.length] ?? '', MANNERS[Math.floor(i / addresses.length) % 3] ?? 'half'),
        ),
      );
      await sleep(Math.max(0, beganMs + ((n + few.length) / perSecond) * 1_000 - performance.now()));
    }
  }

  close(): void {
    this.#closing = true;
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #open(manner: Manner): number {
    return [...this.#sockets.values()].filter((of) => of === manner).length;
  }

  async #openOne(localAddress: string, manner: Manner): Promise<void> {
    const socket = connect({ host: this.#server.address, port: this.#server.port, localAddress });
    socket.on('error', () => undefined);
    // Whatever is read is read: a peer that does not read would be another attack.
    socket.on('data', (bytes) => {
      if (bytes.includes('SIP/2.0 200 ')) this.#answered += 1;
    });
    try {
      await once(socket, 'connect');
    } catch {
      this.#refused += 1;
      return;
    }
    this.#opened += 1;
    this.#sockets.set(socket, manner);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!this.#closing) this.#closedByPeer += 1;
    });
    if (manner === 'silent') return;
    const text = this.#question(socket);
    socket.write(manner === 'half' ? text.slice(0, text.length / 2) : text);
  }

  #question({ localAddress = '', localPort = 0 }: Socket): string {
    const uri = `sip:${this.#server.address}:${this.#server.port}`;
    return writeSip(`OPTIONS ${uri} SIP/2.0`, [
      ['Via', `SIP/2.0/TCP ${localAddress}:${localPort};branch=z9hG4bK${token()};rport`],
      ['Max-Forwards', '70'],
      ['From', `<sip:idle@${localAddress}>;tag=${token()}`],
      ['To', `<${uri}>`],
      ['Call-ID', `${token()}@idle.test`],
      ['CSeq', '1 OPTIONS'],
    ]);
  }
}
