import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { PostgresBinaries } from './binaries';
import type { ServerUser } from './server-user';

export const SUPERUSER = 'trunkline';

export interface CreateClusterOptions {
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
  /** The cluster becomes `postgres/` in here, whole or not at all. */
  readonly dataDir: string;
  readonly password: string;
}

/** Makes an empty cluster: UTF-8, SCRAM for every connection, one superuser. */
export async function createCluster(options: CreateClusterOptions): Promise<void> {
  const { binaries, user, dataDir } = options;
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith('postgres.new-')) rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  const part = join(dataDir, `postgres.new-${process.pid}`);
  const passwordFile = join(dataDir, `postgres.password-${process.pid}`);
  mkdirSync(part, { mode: 0o700 });
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (user !== undefined) for (const path of [part, passwordFile]) chownSync(path, user.uid, user.gid);
  const passwordFd = openSync(passwordFile, 'r');
  const windows = process.platform === 'win32';
  const flags = [
    ['-D', clusterArgument(part, user), '-U', SUPERUSER, '--auth=scram-sha-256'],
    ['--pwfile', windows ? passwordFile : '/dev/fd/3', '--no-instructions', '--encoding=UTF8', '--locale=C'],
    ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ].flat();
  try {
    const failure = await failureOf(
      spawn(binaries.initdb, flags, {
        cwd: part,
        env: serverEnv(),
        stdio: ['ignore', 'pipe', 'pipe', windows ? 'ignore' : passwordFd],
        ...userOptions(user),
      }),
    );
    if (failure !== undefined) throw new Error(`initdb failed:\n${failure}`);
    renameSync(part, join(dataDir, 'postgres'));
  } finally {
    closeSync(passwordFd);
    rmSync(passwordFile, { force: true });
    rmSync(part, { recursive: true, force: true });
  }
}

/** The cluster as its programs name it when they were started inside it; see `PostgresServer`. */
export function clusterArgument(folder: string, user: ServerUser | undefined): string {
  return user !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}

export function userOptions(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** The programs' messages are read by us; nothing of our own environment concerns them. */
export function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** What a process printed when it failed. */
async function failureOf(child: ChildProcess): Promise<string | undefined> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : output));
  });
}
