import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(__dirname, __dirname.endsWith(join('dist', 'media')) ? '../..' : '..');

/**
 * Path of the compiled file that a worker thread or child process of `dir` starts with. Run from sources (tests, dev)
 * it is the built one under `dist/`, since threads start from JavaScript.
 */
export function threadEntry(dir: string, name: string): string {
  const beside = join(dir, `${name}.js`);
  if (existsSync(beside)) return beside;
  const built = join(ROOT, 'dist', relative(ROOT, dir), `${name}.js`);
  if (!existsSync(built)) throw new Error(`${relative(ROOT, built)} is missing: build first`);
  return built;
}
