import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../../scripts/project-root';

const LOCK = {
  packages: {
    '': { name: 'clone' },
    'node_modules/koa': { version: '3.3.0', integrity: 'sha512-koa' },
    'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-other', optional: true },
  },
};
const INSTALLED = { packages: { 'node_modules/koa': LOCK.packages['node_modules/koa'] } };

/** A stand-in for npm: notes that it was called and installs what the lock file says. */
const NPM = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
mkdirSync('node_modules', { recursive: true });
setTimeout(() => writeFileSync('node_modules/.package-lock.json', ${JSON.stringify(JSON.stringify(INSTALLED))}), 300);
`;

describe('bootstrap', () => {
  let clone: string;

  const bootstrap = async (): Promise<{ code: number | null; output: string }> => {
    const child = spawn(process.execPath, [join(clone, 'scripts', 'bootstrap.mjs')], {
      cwd: tmpdir(),
      env: { ...process.env, npm_execpath: join(clone, 'npm-cli.js') },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, output };
  };
  const calls = (): string[] => {
    const file = join(clone, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const install = (content: unknown, ageS: number): void => {
    mkdirSync(join(clone, 'node_modules'));
    const file = join(clone, 'node_modules', '.package-lock.json');
    writeFileSync(file, JSON.stringify(content));
    const time = Date.now() / 1000 - ageS;
    utimesSync(file, time, time);
  };

  beforeEach(() => {
    clone = join(mkdtempSync(join(tmpdir(), 'trunkline-clone-')), 'with a space');
    mkdirSync(join(clone, 'scripts'), { recursive: true });
    cpSync(join(PROJECT_ROOT, 'scripts', 'bootstrap.mjs'), join(clone, 'scripts', 'bootstrap.mjs'));
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(LOCK));
    writeFileSync(join(clone, 'npm-cli.js'), NPM);
  });
  afterEach(() => rmSync(join(clone, '..'), { recursive: true }));

  test('installs from the lock file, with what a build needs, when nothing is installed', async () => {
    expect((await bootstrap()).code).toBe(0);
    expect(calls()).toEqual(['ci --include=dev --no-audit --no-fund']);
  });

  test('does nothing when the installation is newer than the lock file', async () => {
    install({}, -60);
    expect(await bootstrap()).toEqual({ code: 0, output: '' });
    expect(calls()).toEqual([]);
  });

  test('a lock file that was only touched needs no installation', async () => {
    install(INSTALLED, 60);
    expect((await bootstrap()).code).toBe(0);
    expect(calls()).toEqual([]);
  });

  test('a lock file with another version does', async () => {
    install({ packages: { 'node_modules/koa': { version: '3.2.0', integrity: 'sha512-old' } } }, 60);
    expect((await bootstrap()).code).toBe(0);
    expect(calls()).toHaveLength(1);
  });

  test('two that start at once install once', async () => {
    const results = await Promise.all([bootstrap(), bootstrap(), bootstrap()]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(calls()).toHaveLength(1);
    expect(readdirSync(clone).filter((name) => name.startsWith('.install'))).toEqual([]);
  });

  test('the lock of a start that was killed is taken over', async () => {
    writeFileSync(join(clone, '.install.lock'), String(process.pid));
    expect((await bootstrap()).code).toBe(0);
    expect(calls()).toHaveLength(1);
  });

  test('says so when npm fails', async () => {
    writeFileSync(join(clone, 'npm-cli.js'), 'process.exit(1)');
    const { code, output } = await bootstrap();
    expect(code).toBe(1);
    expect(output).toContain('npm ci failed');
    expect(existsSync(join(clone, '.install.lock'))).toBe(false);
  });
});
