/** Each process alone, with PostgreSQL and Temporal away from the beginning. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { newMasterKey } from '../../../store/secrets';
import { freePort, rtpPortRange } from '../../support/free-ports';

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-alone-'));
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function status(url: string): Promise<number | null> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(3_000) })).status;
  } catch {
    return null; // not listening yet
  }
}

it.each([
  ['api', 'api/main.js', 'API_PORT'],
  ['worker', 'activities/main.js', 'WORKER_HTTP_PORT'],
  ['media', 'media-node/main.js', 'MEDIA_HTTP_PORT'],
] as const)(
  '%s lives, says that it is not ready, and stops when it is asked to',
  async (name, entry, portVariable) => {
    const [port, nothing, sipPort] = [await freePort(), await freePort(), await freePort()];
    const rtp = rtpPortRange();
    child = spawn(process.execPath, [join(PROJECT_ROOT, 'dist', entry)], {
      cwd: folder,
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: folder,
        DATABASE_URL: `postgres://nobody:nothing@127.0.0.1:${nothing}/none`,
        TEMPORAL_ADDRESS: `127.0.0.1:${nothing}`,
        SECRETS_KEY: newMasterKey(),
        SIP_HOST: '127.0.0.1',
        SIP_PORT: String(sipPort),
        RTP_PORT_MIN: String(rtp.min),
        RTP_PORT_MAX: String(rtp.max),
        [portVariable]: String(port),
      },
    });
    const exit = new Promise<number | null>((resolve) => child?.once('exit', resolve));
    const url = `http://127.0.0.1:${port}`;
    for (const untilMs = Date.now() + 15_000; Date.now() < untilMs && (await status(`${url}/health`)) !== 200;)
      await sleep(100);
    await sleep(3_000);
    expect([name, child.exitCode]).toEqual([name, null]);
    expect(await status(`${url}/health`)).toBe(200);
    expect(await status(`${url}/ready`)).toBe(503);
    child.kill('SIGTERM');
    expect(await Promise.race([exit, sleep(8_000, 'still running', { ref: false })])).toBe(0);
  },
  40_000,
);
