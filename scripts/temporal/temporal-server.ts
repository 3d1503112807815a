import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { retry } from '../../ops/retry';
import { SEARCH_ATTRIBUTES } from '../../workflows/ids';
import { withoutSecrets } from '../process/child-environment';
import { processIdentity } from '../process/identity';
import { logProblem } from '../process/log-problem';
import { isAlive, readLivePidFile, removePidFile, writePidFile } from '../process/pid-file';
import type { ProcessRecord } from '../process/pid-file';
import { findFreePort, systemPort } from '../process/ports';
import { stopProcess } from '../process/stop-process';
import { temporalArguments } from './command-line';
import type { TemporalPorts } from './command-line';
import { ask, isInterruptedForGood, namespaceUrl } from './http-api';

export interface TemporalServerOptions {
  /** See `findTemporal`. */
  readonly executable: string;
  /** Holds `temporal.db` with its two companions, `run/` and `logs/`. */
  readonly dataDir: string;
  /** Default 7233; the ports of the last run are preferred. */
  readonly basePort?: number;
  /** Default 8233. */
  readonly baseUiPort?: number;
}

const RETENTION = `${72 * 3600}s`;
const READY_MS = 30_000;
const LAUNCH_AGAIN_MS = 200;
const ASK_AGAIN_MS = 40;
/** The ports were chosen before they were taken, and a killed server's file is free a moment later. */
const PASSING_FAILURE = /address already in use|database is locked/i;

/**
 * The embedded Temporal server of one data folder, in a process group of its own so that it survives its starter and the
 * next one can take it over.
 */
export class TemporalServer {
  readonly #options: TemporalServerOptions;
  readonly #pidFile: string;
  /** The ports of the last run. */
  readonly #portsFile: string;
  readonly #logFile: string;
  #ports: TemporalPorts | undefined;
  #running: ProcessRecord | undefined;

  constructor(options: TemporalServerOptions) {
    this.#options = options;
    this.#pidFile = join(options.dataDir, 'run', 'temporal.pid');
    this.#portsFile = join(options.dataDir, 'temporal-ports.json');
    this.#logFile = join(options.dataDir, 'logs', 'temporal.log');
  }

  get record(): ProcessRecord | undefined {
    return this.#running;
  }

  get address(): string {
    return `127.0.0.1:${this.#known().port}`;
  }

  get uiUrl(): string {
    return `http://127.0.0.1:${this.#known().uiPort}`;
  }

  /**
   * Starts the server, or takes over one that still serves this folder. Called again after a crash it keeps the ports.
   * Resolves when the namespace is served with its search attributes and its retention.
   */
  async start(): Promise<void> {
    for (const folder of ['run', 'logs'])
      mkdirSync(join(this.#options.dataDir, folder), { recursive: true, mode: 0o700 });
    if (await this.#takeOver()) return;
    const limitMs = performance.now() + READY_MS;
    const fixed = this.#ports;
    let last = fixed ?? readPorts(this.#portsFile);
    const launch = async (): Promise<void> => {
      this.#ports = fixed === undefined ? await this.#choosePorts(last) : { ...fixed, httpPort: await systemPort() };
      const failure = await this.#launch(limitMs);
      if (failure !== undefined) throw new Error(`Temporal does not start:\n${failure}`);
    };
    await retry(launch, {
      pauseMs: LAUNCH_AGAIN_MS,
      limitMs: READY_MS,
      passes: (error) => PASSING_FAILURE.test((error as Error).message),
      onFailure: () => (last = undefined),
    });
  }

  /** Stops the server; running workflows go on after its next start. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    await stopProcess(this.#running, [
      { signal: 'SIGTERM', waitMs: 8_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ]);
    this.#running = undefined;
    removePidFile(this.#pidFile);
  }

  /** See `isInterruptedForGood`. */
  isBroken(): Promise<boolean> {
    return isInterruptedForGood(this.#known().httpPort);
  }

  #known(): TemporalPorts {
    if (this.#ports === undefined) throw new Error('Temporal has not been started');
    return this.#ports;
  }

  async #choosePorts(last: TemporalPorts | undefined): Promise<TemporalPorts> {
    const port = await findFreePort([last?.port], this.#options.basePort ?? 7233);
    const uiPort = await findFreePort([last?.uiPort], this.#options.baseUiPort ?? 8233);
    return { port, uiPort, httpPort: await systemPort() };
  }

  async #takeOver(): Promise<boolean> {
    const found = readLivePidFile(this.#pidFile);
    if (found === undefined) return false;
    const ports = portsOf(found.details);
    this.#running = found;
    const usable = found.details['searchAttributes'] === SEARCH_ATTRIBUTES.join();
    if (usable && ports !== undefined && (this.#ports === undefined || this.#ports.port === ports.port)) {
      const chosen = this.#ports;
      this.#ports = ports;
      if (await this.#becomesReady(performance.now() + 5_000, () => isAlive(found))) return true;
      this.#ports = chosen;
    }
    await this.stop();
    return false;
  }

  async #launch(limitMs: number): Promise<string | undefined> {
    const ports = this.#known();
    const log = openSync(this.#logFile, 'w', 0o600);
    const child = spawn(
      this.#options.executable,
      temporalArguments(ports, join(this.#options.dataDir, 'temporal.db')),
      { detached: true, env: withoutSecrets(), stdio: ['ignore', log, log] },
    );
    closeSync(log);
    const problem = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (problem !== undefined || child.pid === undefined) return `${this.#options.executable}: ${problem?.message}`;
    child.unref();
    const details = { ...ports, searchAttributes: SEARCH_ATTRIBUTES.join() };
    this.#running = { pid: child.pid, identity: processIdentity(child.pid) ?? '', details };
    writePidFile(this.#pidFile, child.pid, details);
    if (await this.#becomesReady(limitMs, () => child.exitCode === null && child.signalCode === null)) {
      writeFileSync(this.#portsFile, JSON.stringify(ports));
      return undefined;
    }
    await this.stop();
    return logProblem(this.#logFile);
  }

  async #becomesReady(limitMs: number, isRunning: () => boolean): Promise<boolean> {
    return await retry(() => this.#prepareNamespace(), {
      pauseMs: ASK_AGAIN_MS,
      limitMs: limitMs - performance.now(),
      passes: isRunning,
    }).then(
      () => true,
      () => false,
    );
  }

  /**
   * Raises the retention: closed calls must be found for three days, the server's default is one. Rejects while the
   * server does not listen or has no search attributes yet.
   */
  async #prepareNamespace(): Promise<void> {
    const base = namespaceUrl(this.#known().httpPort);
    const attributes = (await ask(`${base}/search-attributes`)) as { customAttributes?: Record<string, string> };
    if (!SEARCH_ATTRIBUTES.every((name) => attributes.customAttributes?.[name] !== undefined)) {
      throw new Error('search attributes are missing');
    }
    const described = (await ask(base)) as { config?: { workflowExecutionRetentionTtl?: string } };
    if (described.config?.workflowExecutionRetentionTtl === RETENTION) return;
    await ask(`${base}/update`, { config: { workflowExecutionRetentionTtl: RETENTION } });
  }
}

function readPorts(path: string): TemporalPorts | undefined {
  try {
    return portsOf(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>);
  } catch {
    return undefined; // first start
  }
}

function portsOf(details: Readonly<Record<string, unknown>>): TemporalPorts | undefined {
  const { port, uiPort, httpPort } = details;
  if (typeof port !== 'number' || typeof uiPort !== 'number' || typeof httpPort !== 'number') return undefined;
  return { port, uiPort, httpPort };
}
