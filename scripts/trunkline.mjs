#!/usr/bin/env node
/**
 * `npx trunkline`: the built command line. npm links to this file the first time it is asked for, and not again: a file of
 * `dist/` would be missing then before the first build, and for good.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'scripts', 'cli', 'main.js');

if (existsSync(main)) {
  await import(pathToFileURL(main).href);
} else {
  console.error('The command line is not built yet: npm run build (npm start builds it, too)');
  process.exitCode = 2;
}
