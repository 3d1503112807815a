/** A media node in bench mode as a process of its own, and what it costs by /proc. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../scripts/project-root';
import { freePort } from '../test/support/free-ports';
import { usageOf } from './process-usage';
import type { ProcessUsage } from './process-usage';

const READY_WITHIN_MS = 15_000;

export class NodeUnderTest {
  readonly sipPort: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(child: ChildProcess, sipPort: number, dataDir: string) {
    this.#child = child;
    this.sipPort = sipPort;
    this.#dataDir = dataDir;
  }

  /** Starts `dist/media-node/main.js` (of the clone `BENCH_ROOT`, to compare with) with `MEDIA_BENCH=echo` on free ports and waits for `/ready`. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<NodeUnderTest> {
    const [sipPort, httpPort] = [await freePort(), await freePort()];
    const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
    const root = process.env.BENCH_ROOT ?? PROJECT_ROOT;
    const child = spawn(process.execPath, [join(root, 'dist/media-node/main.js')], {
      cwd: dataDir,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        MEDIA_BENCH: 'echo',
        DATA_DIR: dataDir,
        SIP_HOST: '127.0.0.1',
        SIP_PORT: String(sipPort),
        MEDIA_HTTP_PORT: String(httpPort),
        LOG_LEVEL: 'error',
        ...env,
      },
    });
    const node = new NodeUnderTest(child, sipPort, dataDir);
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${httpPort}/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return node;
      if (child.exitCode !== null || Date.now() > deadline) {
        await node.stop();
        throw new Error('the media node did not become ready in bench mode; is dist/ built?');
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  usage(): ProcessUsage {
    return usageOf(this.pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(timer);
    }
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
