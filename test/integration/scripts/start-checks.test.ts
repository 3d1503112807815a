/** What keeps the product from starting, told before anything is started: names of variables and no stack traces. */
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { EnvError } from '../../../ops/env';
import { readSupervisorConfig } from '../../../scripts/supervisor/config';
import { makeDataFolder } from '../../../scripts/supervisor/data-folder';
import { checkPorts } from '../../../scripts/supervisor/port-check';
import { connectionProblem, prepareStore } from '../../../scripts/supervisor/prepare-store';
import { freePort } from '../../support/free-ports';

async function problemsOf(check: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await check();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(EnvError);
    return (error as EnvError).problems;
  }
}

describe('the ports', () => {
  const check = async (env: NodeJS.ProcessEnv): Promise<readonly string[]> => {
    const [api, media, sip] = [await freePort(), await freePort(), await freePort()].map(String);
    const free = { API_PORT: api, MEDIA_HTTP_PORT: media, SIP_PORT: sip, SIP_HOST: '127.0.0.1' };
    return await problemsOf(() => checkPorts(readSupervisorConfig({ env: { ...free, ...env }, file: null })));
  };

  test('are all free, and free again afterwards', async () => {
    const sip = { SIP_PORT: String(await freePort()) };
    expect(await check(sip)).toEqual([]);
    expect(await check(sip)).toEqual([]);
    expect(await check({ SIP_HOST: '0.0.0.0,::' })).toEqual([]);
  });

  test('that others hold are told together', async () => {
    const tcp = createServer();
    const udp = createSocket('udp4');
    const [tcpPort, udpPort] = [await freePort(), await freePort()];
    try {
      await new Promise<void>((resolve) => tcp.listen(tcpPort, '127.0.0.1', resolve));
      await new Promise<void>((resolve) => udp.bind(udpPort, '127.0.0.1', resolve));
      const problems = await check({ WORKER_HTTP_PORT: String(tcpPort), SIP_PORT: String(udpPort) });
      expect(problems).toEqual([
        `WORKER_HTTP_PORT: TCP port ${tcpPort} on 127.0.0.1 is in use by another program; set WORKER_HTTP_PORT to a free one`,
        `SIP_PORT: UDP port ${udpPort} on 127.0.0.1 is in use by another program; set SIP_PORT to a free one`,
      ]);
    } finally {
      tcp.close();
      udp.close();
    }
  });

  test('of two of ours that are one in two spellings are told', async () => {
    const port = String(await freePort());
    const [problem] = await check({ API_PORT: port, MEDIA_HTTP_PORT: port, MEDIA_HTTP_HOST: 'localhost' });
    expect(problem).toMatch(/^MEDIA_HTTP_PORT: /);
    expect((await check({ SIP_HOST: '0.0.0.0,127.0.0.1' }))[0]).toMatch(/^SIP_PORT: UDP port \d+ on 127\.0\.0\.1 /);
  });

  test.each(['API_HOST', 'MEDIA_HTTP_HOST', 'SIP_HOST'])('need %s to be an address of this machine', async (name) => {
    expect(await check({ [name]: '192.0.2.200' })).toEqual([`${name}: 192.0.2.200 is no address of this machine`]);
    expect(await check({ [name]: 'nobody.invalid' })).toEqual([
      `${name}: nobody.invalid is no address of this machine`,
    ]);
  });
});

describe('the data folder', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-data-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made, closed to others, and holds nothing of the check', () => {
    makeDataFolder(join(folder, 'a', 'b'));
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o700);
    expect(existsSync(join(folder, 'a', 'b', 'run'))).toBe(true);
  });

  test('that cannot be made, or takes nothing, is told by its variable', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    symlinkSync(join(folder, 'missing'), join(folder, 'dangling'));
    for (const dataDir of [file, join(folder, 'dangling'), '/dev/null']) {
      const [problem] = await problemsOf(async () => makeDataFolder(dataDir));
      expect(problem).toMatch(/^DATA_DIR: nothing can be stored in /);
    }
  });
});

describe('a database of the user', () => {
  test('that is not there is told in one line', async () => {
    const options = { secretsKey: Buffer.alloc(32).toString('base64'), apiKey: 'x'.repeat(20), logins: [] };
    const error: unknown = await prepareStore({ ...options, databaseUrl: 'postgres://u:p@127.0.0.1:1/d' }).catch(
      (caught: unknown) => caught,
    );
    expect(connectionProblem(error)).toBe('connect ECONNREFUSED 127.0.0.1:1');
  });

  test.each([
    ['28P01', 'password authentication failed for user "u"'],
    ['3D000', 'database "d" does not exist'],
    ['42501', 'permission denied for schema public'],
  ])('that refuses us (%s) says why', (code, message) => {
    expect(connectionProblem(Object.assign(new Error(message), { code }))).toBe(message);
  });

  test('whose migration fails is a defect, not a setting', () => {
    expect(connectionProblem(Object.assign(new Error('syntax error'), { code: '42601' }))).toBeUndefined();
  });
});
