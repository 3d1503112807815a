import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const MAIN = join(ROOT, 'api', 'main.ts');

/** Requires what the process's entry does, which itself would run. */
const LOAD = `
  const load = require('node:module').createRequire(process.argv[1]);
  for (const name of process.argv.slice(2)) load(name);
  console.log(JSON.stringify(Object.keys(require.cache)));
`;

/** Files of every module that the API process has loaded when it begins to listen. */
function loadedModules(): string[] {
  const imports = readFileSync(MAIN, 'utf8').matchAll(/^import (?!type )(?:[^;]* from )?'([^']+)';$/gm);
  const names = [...imports].map(([, name]) => name ?? '');
  const output = execFileSync(process.execPath, ['--require', 'tsx/cjs', '-e', LOAD, MAIN, ...names], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return JSON.parse(output) as string[];
}

test('the API process loads the client of Temporal, never the worker, its native bridge and bundler', () => {
  const modules = loadedModules();
  expect(modules.some((file) => file.includes('/@temporalio/client/'))).toBe(true);
  expect(modules).toContain(join(ROOT, 'api', 'app.ts'));
  const ofWorkers = /[/\\]node_modules[/\\](@temporalio[/\\](worker|core-bridge)|webpack|@swc|@webassemblyjs)[/\\]/;
  expect(modules.filter((file) => ofWorkers.test(file))).toEqual([]);
});
