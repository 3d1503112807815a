import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { HttpRequest } from './http-load';

/** Longer than any of the servers' own limits. */
const ANSWERED_WITHIN_MS = 30_000;
const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * One kept connection, one request at a time, and no more of HTTP than the servers measured here answer with: a client of
 * Node's costs as much as a bare route, on the same processors, and would be measured with it.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #headers: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { readonly resolve: (status: number) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, headers: string) {
    this.#socket = socket;
    this.#headers = headers;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.setTimeout(ANSWERED_WITHIN_MS, () => socket.destroy());
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed before the answer')));
    socket.on('error', (error) => this.#waiting?.reject(error));
  }

  static async open(url: URL, headers: Readonly<Record<string, string>>): Promise<HttpConnection> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return new HttpConnection(socket, lines.join(''));
  }

  /** The status, when the whole answer is there. */
  send({ method, path, body, headers = {} }: HttpRequest): Promise<number> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const typed = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#headers}${own.join('')}${typed}\r\n${payload}`);
    });
  }

  get closed(): boolean {
    return this.#socket.destroyed || !this.#socket.writable;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headerEnd = this.#received.indexOf(HEADER_END);
    if (headerEnd === -1) return;
    const head = this.#received.toString('latin1', 0, headerEnd);
    const status = Number(head.slice(9, 12));
    // RFC 9112 §6.3: it has no body, whatever its headers say.
    const length = status === 304 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.#socket.destroy(new Error('an answer without Content-Length'));
      return;
    }
    if (this.#received.length < headerEnd + HEADER_END.length + Number(length)) return;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(status);
  }
}
