import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ConfigUniverse } from '../../support/config-view';
import { waitFor } from '../../support/wait-for';

export interface FollowerOptions {
  readonly databaseUrl: string;
  readonly secretsKey: string;
}

export interface FollowerOrder {
  readonly universe: ConfigUniverse;
}

export type FollowerReport = { readonly version: number } | { readonly view: object };

/** A process that follows the configuration as a media node does. */
export class ConfigFollower {
  readonly #options: FollowerOptions;
  readonly #onVersion: (version: number) => void;
  #child: ChildProcess;
  #version = -1;

  /** @param onVersion it acts on a version */
  constructor(options: FollowerOptions, onVersion: (version: number) => void = () => undefined) {
    this.#options = options;
    this.#onVersion = onVersion;
    this.#child = this.#fork();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As SIGSTOP and SIGCONT, or a machine that is suspended. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** kill -9, and another one begins. */
  async restart(): Promise<void> {
    await this.kill();
    this.#version = -1;
    this.#child = this.#fork();
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async reaches(version: number): Promise<void> {
    await waitFor(`version ${version}`, 20_000, () => (this.#version >= version ? true : undefined));
  }

  /** What it makes of the configuration once it acts on this version. */
  async view(version: number, universe: ConfigUniverse): Promise<object> {
    await this.reaches(version);
    const answered = new Promise<object>((resolve) => {
      const read = (message: FollowerReport): void => {
        if (!('view' in message)) return;
        this.#child.off('message', read);
        resolve(message.view);
      };
      this.#child.on('message', read);
    });
    this.#child.send({ universe } satisfies FollowerOrder);
    return answered;
  }

  #fork(): ChildProcess {
    const child = fork(join(__dirname, 'config-follower-main.ts'), [JSON.stringify(this.#options)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message: FollowerReport) => {
      if (!('version' in message)) return;
      this.#version = message.version;
      this.#onVersion(message.version);
    });
    return child;
  }
}
