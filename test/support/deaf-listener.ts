/** A TCP port whose SYNs are dropped: its process stands still, and what it may have waiting for it is full. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => process.stdout.write(String(server.address().port)));
`;
const CONNECT_MS = 200;
const MAX_WAITING = 20;

export class DeafListener {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting: readonly Socket[];

  private constructor(child: ChildProcess, port: number, waiting: readonly Socket[]) {
    this.#child = child;
    this.port = port;
    this.#waiting = waiting;
  }

  static async start(): Promise<DeafListener> {
    const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGSTOP');
    const waiting: Socket[] = [];
    for (let accepted = true; accepted;) {
      if (waiting.length >= MAX_WAITING) throw new Error('this system takes every connection');
      const socket = createConnection({ host: '127.0.0.1', port: Number(port) });
      socket.on('error', () => undefined);
      waiting.push(socket);
      accepted = await Promise.race([once(socket, 'connect').then(() => true), sleep(CONNECT_MS, false)]);
    }
    return new DeafListener(child, Number(port), waiting);
  }

  async stop(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
