/** Another media node beside that of a stack, as an operator starts one: with ports of its own and the same servers. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../scripts/project-root';
import { freePort, rtpPortRange } from './free-ports';
import type { Stack } from './stack';
import { waitFor } from './wait-for';

export class SecondNode {
  readonly sipPort: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(child: ChildProcess, sipPort: number, dataDir: string) {
    this.#child = child;
    this.sipPort = sipPort;
    this.#dataDir = dataDir;
  }

  /** Resolves when it takes calls. */
  static async start(stack: Stack): Promise<SecondNode> {
    const [sip, http] = [await freePort(), await freePort()];
    const rtp = rtpPortRange();
    const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-node-'));
    const child = spawn(process.execPath, [join(PROJECT_ROOT, 'dist', 'media-node', 'main.js')], {
      cwd: dataDir,
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        DATA_DIR: dataDir,
        DATABASE_URL: stack.databaseUrl,
        TEMPORAL_ADDRESS: stack.temporalAddress,
        SECRETS_KEY: readFileSync(join(stack.dataDir, 'secrets-key'), 'utf8').trim(),
        MEDIA_NODE_ID: 'second-node',
        MEDIA_HTTP_PORT: String(http),
        MEDIA_MAX_CALLS: '500',
        SIP_HOST: '127.0.0.1',
        SIP_PORT: String(sip),
        RTP_PORT_MIN: String(rtp.min),
        RTP_PORT_MAX: String(rtp.max),
      },
    });
    const node = new SecondNode(child, sip, dataDir);
    await waitFor('the second node', 30_000, async () => {
      if (child.exitCode !== null) throw new Error(`the second node ended with ${child.exitCode}`);
      const signal = AbortSignal.timeout(2_000);
      const answer = await fetch(`http://127.0.0.1:${http}/ready`, { signal }).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    }).catch(async (error: unknown) => {
      await node.stop();
      throw error;
    });
    return node;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
