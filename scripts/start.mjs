/** `npm start`: builds when needed, then becomes the supervisor. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  await build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
await import(pathToFileURL(join(root, 'dist', 'scripts', 'supervisor', 'main.js')).href);
