import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { processIdentity } from '../../../scripts/process/identity';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { findTemporal } from '../../../scripts/temporal/executable';
import { freePort } from '../../support/free-ports';
import { Stack } from '../../support/stack';
import type { StackProcess } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const ALL: readonly StackProcess[] = ['supervisor', 'api', 'worker', 'media', 'postgres', 'temporal'];
const asRoot = process.getuid?.() === 0;
const MINUTE_MS = 60_000;

const pidsOf = (stack: Stack): number[] => ALL.map((name) => stack.pid(name));
const isGone = (pid: number): boolean => processIdentity(pid) === undefined;

async function createAgent(stack: Stack): Promise<string> {
  const { status, body } = await stack.api<{ id: string }>('POST', '/phone', {
    name: 'Support Agent',
    type: 'inbound',
    language: 'en',
    first_message: 'Hi!',
  });
  expect(status).toBe(200);
  return body.id;
}

describe('npm start', () => {
  test(
    'starts everything, says where it is, keeps all data over a restart and leaves nothing behind',
    async () => {
      const stack = await Stack.start();
      try {
        const banner = await stack.waitForLog(/Trunkline is ready[\s\S]+?SIP .+\n/);
        for (const part of [
          stack.apiUrl,
          join(stack.dataDir, 'api-key'),
          '/docs',
          'Temporal UI',
          `:${stack.sipPort}`,
        ]) {
          expect(banner[0]).toContain(part);
        }
        expect(statSync(stack.dataDir).mode & 0o777).toBe(0o700);
        for (const file of ['api-key', 'secrets-key', 'postgres-password']) {
          expect(statSync(join(stack.dataDir, file)).mode & 0o777).toBe(0o600);
        }
        expect(stack.log).not.toContain(stack.apiKey);
        const agent = await createAgent(stack);
        const before = pidsOf(stack);
        expect(await stack.stop({ keepData: true })).toBe(0);
        expect(before.every(isGone)).toBe(true);
        expect(readdirSync(join(stack.dataDir, 'run'))).toEqual([]);

        await stack.startAgain();
        expect((await stack.api('GET', `/phone/${agent}`)).status).toBe(200);
      } finally {
        await stack.stop();
      }
    },
    2 * MINUTE_MS,
  );

  test(
    'what dies comes back with the same addresses, and a killed supervisor is recovered from',
    async () => {
      const stack = await Stack.start();
      try {
        const { databaseUrl, temporalAddress } = stack;
        const agent = await createAgent(stack);
        for (const name of ALL.slice(1)) {
          const killed = stack.kill(name);
          await stack.waitForNewPid(name, killed);
        }
        await stack.waitReady();
        expect(stack).toMatchObject({ databaseUrl, temporalAddress });
        expect((await stack.api('GET', `/phone/${agent}`)).status).toBe(200);

        const servers = [stack.pid('postgres'), stack.pid('temporal')];
        const processes = (['api', 'worker', 'media'] as const).map((name) => stack.pid(name));
        stack.kill('supervisor');
        await stack.exited();
        await stack.startAgain();
        expect(processes.every(isGone)).toBe(true);
        expect([stack.pid('postgres'), stack.pid('temporal')]).toEqual(servers);
        expect((await stack.api('GET', `/phone/${agent}`)).status).toBe(200);
        const all = pidsOf(stack);
        expect(await stack.stop()).toBe(0);
        expect(all.every(isGone)).toBe(true);
      } finally {
        await stack.stop();
      }
    },
    3 * MINUTE_MS,
  );

  test(
    'two beside each other do not disturb each other, and one folder has one supervisor',
    async () => {
      const [one, two] = await Promise.all([Stack.start(), Stack.start()]);
      try {
        expect(one.temporalAddress).not.toBe(two.temporalAddress);
        await createAgent(one);
        const third = await Stack.start({ dataDir: one.dataDir }).catch((error: unknown) => error as Error);
        expect((third as Error).message).toContain(`process ${one.pid('supervisor')} already runs with this folder`);
        expect(await one.stop()).toBe(0);
        expect((await two.api('GET', '/ready')).status).toBe(200);
        await createAgent(two);
      } finally {
        await one.stop();
        await two.stop();
      }
    },
    3 * MINUTE_MS,
  );

  test.each(['API_PORT', 'SIP_PORT', 'MEDIA_HTTP_PORT'])(
    'names %s when its port is in use, and ends',
    async (variable) => {
      const port = await freePort();
      const squatter = createServer();
      await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
      try {
        await expect(Stack.start({ env: { [variable]: String(port) } })).rejects.toThrow(
          `${variable}: TCP port ${port} on 127.0.0.1 is in use by another program; set ${variable} to a free one`,
        );
      } finally {
        squatter.close();
      }
    },
    MINUTE_MS,
  );

  test(
    'an environment that a process could not use is told of before anything starts',
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-stack-'));
      const env = { MEDIA_MAX_CALLS: 'many', OUTBOUND_ALLOWED_COUNTRIES: 'XX', WORKER_MAX_ACTIVITIES: '-1' };
      try {
        const failed = await Stack.start({ dataDir, env }).catch((error: unknown) => error as Error);
        const { message } = failed as Error;
        for (const name of Object.keys(env)) expect(message).toContain(`  ${name}: `);
        expect(message).not.toMatch(/\n {4}at /);
        expect(readdirSync(dataDir)).toEqual([]);
      } finally {
        rmSync(dataDir, { recursive: true });
      }
    },
    MINUTE_MS,
  );

  test(
    'a media node that does not stay is given up loudly, and everything ends',
    async () => {
      const stack = await Stack.start();
      try {
        for (let ends = 1; ends < 6; ends++) await stack.waitForNewPid('media', stack.kill('media'));
        stack.kill('media');
        expect(await stack.exited()).toBe(1);
        expect(stack.log).toContain('media ended 6 times in a row');
      } finally {
        await stack.stop();
      }
    },
    2 * MINUTE_MS,
  );

  test(
    'a Ctrl-C while it starts leaves nothing behind',
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-stack-'));
      const child = spawn(process.execPath, [join(PROJECT_ROOT, 'dist', 'scripts', 'supervisor', 'main.js')], {
        cwd: dataDir,
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          DATA_DIR: dataDir,
          SIP_PORT: String(await freePort()),
          API_PORT: String(await freePort()),
          MEDIA_HTTP_PORT: String(await freePort()),
        },
        stdio: 'ignore',
      });
      try {
        await waitFor('the first server', 20_000, () =>
          readdirSync(dataDir).some((name) => name.startsWith('postgres.new-')) ? true : undefined,
        );
        child.kill('SIGINT');
        const code = await new Promise((resolve) => child.once('exit', resolve));
        expect(code).toBe(0);
        expect(readdirSync(join(dataDir, 'run'))).toEqual([]);
      } finally {
        child.kill('SIGKILL');
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    MINUTE_MS,
  );

  (asRoot ? test : test.skip)(
    'runs for an ordinary user from a path with spaces',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trunkline user-'));
      const user = { uid: 65_534, gid: 65_534 };
      try {
        const root = join(folder, 'a clone');
        mkdirSync(root);
        cpSync(join(PROJECT_ROOT, 'dist'), join(root, 'dist'), { recursive: true });
        symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(root, 'node_modules'));
        // What root has in its closed home is out of reach for this user.
        const cli = join(folder, 'temporal');
        cpSync(await findTemporal({ cliPath: process.env['TEMPORAL_CLI_PATH'], progress: () => undefined }), cli);
        chmodSync(cli, 0o755);
        const dataDir = join(root, '.data');
        mkdirSync(dataDir);
        for (const path of [folder, root, dataDir]) chownSync(path, user.uid, user.gid);
        const stack = await Stack.start({ root, dataDir, ...user, env: { HOME: folder, TEMPORAL_CLI_PATH: cli } });
        try {
          const pids = pidsOf(stack);
          expect(pids.map((pid) => statSync(`/proc/${pid}`).uid)).toEqual(pids.map(() => user.uid));
          await createAgent(stack);
          expect(await stack.stop()).toBe(0);
          expect(pids.every(isGone)).toBe(true);
        } finally {
          await stack.stop();
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    2 * MINUTE_MS,
  );
});
