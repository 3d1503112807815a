import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export interface NodeProcessOptions {
  readonly nodeId: string;
  readonly bootId: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly secretsKey: string;
  readonly temporalAddress: string;
  readonly namespace: string;
}

/** To the process: a call came in, or an event of one, or: take dials, and die at this step. */
export type NodeOrder =
  | { readonly do: 'inbound'; readonly callId: string; readonly orgId: string; readonly sipCallId: string }
  | { readonly do: 'answer' | 'hangup_by_peer'; readonly callId: string }
  | { readonly do: 'accept'; readonly plan: KillStep | null };

/** The process kills itself at this step of a dial. */
export type KillStep = 'kill_before_intended' | 'kill_after_intended' | 'kill_after_invite' | 'kill_after_sent';

/** From the process: it serves, an INVITE left it, or it has found out that its boot was declared lost. */
export type NodeReport = { readonly ready: true } | { readonly invite: string } | { readonly lost: true };

/** A media node with a faked call layer in a process of its own. */
export class NodeProcess {
  readonly nodeId: string;
  readonly bootId: string;
  /** SIP Call-IDs of the INVITEs that left it: the carrier's view, which survives the process. */
  readonly invites: string[] = [];
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  readonly #exited: Promise<void>;
  /** Epoch ms. */
  #lostAtMs: number | null = null;

  constructor(options: NodeProcessOptions) {
    this.nodeId = options.nodeId;
    this.bootId = options.bootId;
    this.#child = fork(join(__dirname, 'node-process-main.ts'), [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#child.on('message', (report: NodeReport) => {
        if ('ready' in report) resolve();
        else if ('lost' in report) this.#lostAtMs ??= Date.now();
        else this.invites.push(report.invite);
      });
      this.#child.once('exit', () => reject(new Error('the node process ended')));
    });
    this.#ready.catch(() => undefined); // asked for by `ready`
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  exited(): Promise<void> {
    return this.#exited;
  }

  order(order: NodeOrder): void {
    this.#child.send(order);
  }

  /** When it found out that its boot was declared lost; null as long as it has not. */
  get lostAtMs(): number | null {
    return this.#lostAtMs;
  }

  standStill(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
