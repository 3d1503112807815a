/**
 * The whole product for an end-to-end test: the built supervisor with a data folder and ports of its own. Build first
 * (`npm run build`).
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLivePidFile } from '../../scripts/process/pid-file';
import { PROJECT_ROOT } from '../../scripts/project-root';
import { freePort, rtpPortRange } from './free-ports';
import { waitFor } from './wait-for';

export type StackProcess = 'supervisor' | 'api' | 'worker' | 'media' | 'postgres' | 'temporal';

export interface StackOptions {
  /** Added to the environment, over what the stack sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a new folder, removed by `stop`. */
  readonly dataDir?: string;
  /** The clone to run; default this one. */
  readonly root?: string;
  /** Run as another user (by root only). */
  readonly uid?: number;
  readonly gid?: number;
  /** Started as a user does, by `npm start`: `stop` then signals npm alone. */
  readonly npm?: boolean;
  /** How long `start` waits for `/ready`; default 60 s. */
  readonly readyMs?: number;
}

export interface ApiAnswer<Body = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

const SUPERVISOR = join('dist', 'scripts', 'supervisor', 'main.js');

export class Stack {
  readonly dataDir: string;
  readonly apiUrl: string;
  readonly mediaUrl: string;
  readonly sipHost = '127.0.0.1';
  readonly sipPort: number;
  readonly rtpPorts: { readonly min: number; readonly max: number };
  readonly #options: StackOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #ownsDataDir: boolean;
  #child: ChildProcess | undefined;
  #exit: Promise<number | null> = Promise.resolve(null);
  #log = '';

  private constructor(options: StackOptions, ports: { api: number; media: number; sip: number }) {
    this.#options = options;
    this.#ownsDataDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'trunkline-stack-'));
    this.rtpPorts = rtpPortRange();
    this.#env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: this.dataDir,
      API_PORT: String(ports.api),
      MEDIA_HTTP_PORT: String(ports.media),
      SIP_HOST: '127.0.0.1',
      SIP_PORT: String(ports.sip),
      RTP_PORT_MIN: String(this.rtpPorts.min),
      RTP_PORT_MAX: String(this.rtpPorts.max),
      RATE_LIMIT_PER_MINUTE: '100000',
      // Of its own accord a node takes as many as it can hear: few, and not the same number on every machine.
      MEDIA_MAX_CALLS: '500',
      // Other tests on the same machine are no reason to refuse the calls of this one.
      MEDIA_MAX_BEHIND_MS: '60000',
      MEDIA_MAX_WAIT_MS: '10000',
      ...options.env,
    };
    this.sipPort = Number(this.#env['SIP_PORT']);
    this.apiUrl = `http://127.0.0.1:${this.#env['API_PORT']}`;
    this.mediaUrl = `http://127.0.0.1:${this.#env['MEDIA_HTTP_PORT']}`;
  }

  /** Starts the product and waits until it is ready. */
  static async start(options: StackOptions = {}): Promise<Stack> {
    const ports = { api: await freePort(), media: await freePort(), sip: await freePort() };
    const stack = new Stack(options, ports);
    await stack.startAgain();
    return stack;
  }

  /** Everything printed so far by all processes. */
  get log(): string {
    return this.#log;
  }

  get apiKey(): string {
    return this.#env['BOOTSTRAP_API_KEY'] ?? readFileSync(join(this.dataDir, 'api-key'), 'utf8').trim();
  }

  get databaseUrl(): string {
    const password = readFileSync(join(this.dataDir, 'postgres-password'), 'utf8').trim();
    return `postgres://trunkline:${password}@127.0.0.1:${this.#portOf('postgres')}/trunkline`;
  }

  get temporalAddress(): string {
    return `127.0.0.1:${this.#portOf('temporal')}`;
  }

  /** Of the running process; changes when it is started anew. */
  pid(name: StackProcess): number {
    const pid = this.findPid(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  findPid(name: StackProcess): number | undefined {
    return readLivePidFile(this.#pidFile(name))?.pid;
  }

  kill(name: StackProcess, signal: NodeJS.Signals = 'SIGKILL'): number {
    const pid = this.pid(name);
    process.kill(pid, signal);
    return pid;
  }

  /** Resolves when the process runs under another pid than `oldPid`. */
  async waitForNewPid(name: StackProcess, oldPid: number, limitMs = 15_000): Promise<number> {
    return waitFor(`another ${name} than ${oldPid}`, limitMs, () => {
      const pid = this.findPid(name);
      return pid === oldPid ? undefined : pid;
    });
  }

  async waitReady(limitMs = this.#options.readyMs ?? 60_000): Promise<void> {
    await waitFor('/ready', limitMs, async () => {
      if (this.#child?.exitCode != null) throw new Error(`the supervisor ended:\n${this.#log.slice(-4_000)}`);
      const signal = AbortSignal.timeout(2_000);
      const answer = await fetch(`${this.apiUrl}/ready`, { signal }).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\n${this.#log.slice(-4_000)}`, { cause: error });
    });
  }

  async waitForLog(pattern: RegExp, limitMs = 10_000): Promise<RegExpExecArray> {
    return waitFor(String(pattern), limitMs, () => pattern.exec(this.#log) ?? undefined);
  }

  /** A request with the bootstrap key. */
  async api<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer<Body>> {
    const authorization = existsSync(join(this.dataDir, 'api-key')) ? { authorization: `Bearer ${this.apiKey}` } : {};
    const answer = await fetch(`${this.apiUrl}${path}`, {
      method,
      headers: { ...authorization, 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(15_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: parseBody(text) as Body };
  }

  /** Starts the supervisor again on the same data and ports, after `stop({ keepData: true })` or a kill. */
  async startAgain(): Promise<void> {
    const { uid, gid, root = PROJECT_ROOT, npm = false } = this.#options;
    const entry = join(root, SUPERVISOR);
    if (!existsSync(entry)) throw new Error(`${SUPERVISOR} is missing: build first`);
    // The channel carries nothing: when the test run is killed, its end stops the product.
    const [command, args] = npm ? ['npm', ['start']] : [process.execPath, [entry]];
    const child = spawn(command, args, {
      cwd: npm ? root : this.dataDir,
      env: this.#env,
      detached: true,
      stdio: npm ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
    this.#exit = new Promise((resolve) => child.once('close', (code) => resolve(code)));
    await this.waitReady().catch(async (error: unknown) => {
      await this.stop();
      throw error;
    });
  }

  /** Resolves with the supervisor's exit code when it has ended. */
  async exited(): Promise<number | null> {
    return this.#exit;
  }

  /** SIGINT, as Ctrl-C; a second one after `hurryAfterMs` (default 2 s) so that tests do not wait for calls to end. */
  async stop(
    options: { readonly hurryAfterMs?: number; readonly keepData?: boolean; readonly signal?: NodeJS.Signals } = {},
  ): Promise<number | null> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const signal = options.signal ?? 'SIGINT';
      child.kill(signal);
      const hurry = setTimeout(() => child.kill(signal), options.hurryAfterMs ?? 2_000);
      const end = setTimeout(() => child.kill('SIGKILL'), 90_000);
      await this.#exit;
      clearTimeout(hurry);
      clearTimeout(end);
    }
    const code = await this.#exit;
    this.#child = undefined;
    if (this.#ownsDataDir && options.keepData !== true) rmSync(this.dataDir, { recursive: true, force: true });
    return code;
  }

  #pidFile(name: StackProcess): string {
    return join(this.dataDir, 'run', `${name}.pid`);
  }

  #portOf(name: StackProcess): number {
    const value = readLivePidFile(this.#pidFile(name))?.details['port'];
    if (typeof value !== 'number') throw new Error(`${name} does not run`);
    return value;
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
