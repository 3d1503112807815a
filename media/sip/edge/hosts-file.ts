import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

import type { Clock } from '../../clock';

const CHECK_MS = 1_000;

/**
 * The system's own names, which no name server is asked for. Read synchronously: one small local file, and only when
 * it has changed; asynchronous reading would queue behind whatever holds the threads of the process.
 */
export class HostsFile {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'now'>;
  #hosts: ReadonlyMap<string, readonly string[]> = new Map();
  #version = '';
  #checkAtMs = -Infinity;

  constructor(clock: Pick<Clock, 'now'>, path = '/etc/hosts') {
    this.#clock = clock;
    this.#path = path;
  }

  addresses(name: string): readonly string[] {
    if (this.#clock.now() >= this.#checkAtMs) this.#check();
    return this.#hosts.get(name) ?? [];
  }

  #check(): void {
    this.#checkAtMs = this.#clock.now() + CHECK_MS;
    try {
      const { mtimeMs, size, ino } = statSync(this.#path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      this.#hosts = parseHosts(readFileSync(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      // A system without the file has no names of its own.
      this.#hosts = new Map();
      this.#version = '';
    }
  }
}

/** Addresses by lower-case name, in the order of the file (hosts(5)). */
function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    // Link-local addresses with a zone are for one machine's own use.
    if (isIP(address) === 0 || address.includes('%')) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known === undefined) hosts.set(name.toLowerCase(), [address]);
      else known.push(address);
    }
  }
  return hosts;
}
