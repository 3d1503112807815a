import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** Stands between a client and its server: passes bytes on, is gone, or swallows everything. */
export class TcpRelay {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server;
  #port = 0;
  #silent = false;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = this.#create();
  }

  static async start(target: { host: string; port: number }): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    await relay.#listen(0);
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections break, new ones are refused: the server's process was killed. */
  async vanish(): Promise<void> {
    this.#breakAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Connections stay open and new ones are accepted, but nothing passes: a cut network or a stopped process. */
  fallSilent(): void {
    this.#silent = true;
  }

  async comeBack(): Promise<void> {
    this.#silent = false;
    this.#breakAll();
    if (this.#server.listening) return;
    this.#server = this.#create();
    await this.#listen(this.#port);
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.vanish();
    this.#breakAll();
  }

  #create(): Server {
    return createServer((client) => {
      const upstream = connect(this.#target);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          if (!this.#silent) to.write(bytes);
        });
        from.on('error', () => undefined); // Broken on purpose.
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}
