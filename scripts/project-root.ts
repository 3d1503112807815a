import { basename, join } from 'node:path';

/** The clone's folder, from the sources as from `dist/`. */
export const PROJECT_ROOT =
  basename(join(__dirname, '..')) === 'dist' ? join(__dirname, '..', '..') : join(__dirname, '..');
