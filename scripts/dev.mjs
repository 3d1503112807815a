/** `npm run dev`: the product, built again and its processes restarted whenever a source changes. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from './build.mjs';

const SETTLE_MS = 150;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));

await build();
// In its own group: a Ctrl-C reaches this process alone, which passes it on once.
const supervisor = spawn(process.execPath, [join(root, 'dist', 'scripts', 'supervisor', 'main.js')], {
  cwd: root,
  stdio: 'inherit',
  detached: true,
});
supervisor.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => supervisor.kill(signal));

let timer;
let building = Promise.resolve();
for (const folder of include) {
  const path = join(root, folder);
  if (!existsSync(path)) continue;
  watch(path, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => (building = building.then(rebuild)), SETTLE_MS);
  });
}

async function rebuild() {
  try {
    if (!(await build())) return;
    console.log('built; restarting the processes');
    supervisor.kill('SIGUSR2');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}
