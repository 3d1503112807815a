import { readFileSync } from 'node:fs';

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom the server runs as: PostgreSQL refuses to be root, so root runs it as `postgres` or else `nobody`. Everybody else
 * runs it as themselves (`undefined`).
 */
export function serverUser(uid = process.getuid?.(), passwd = '/etc/passwd'): ServerUser | undefined {
  if (uid !== 0) return undefined;
  const lines = readFileSync(passwd, 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('PostgreSQL cannot run as root and there is no user postgres or nobody: set DATABASE_URL');
}
