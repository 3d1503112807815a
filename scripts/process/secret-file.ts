import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** The content of a file of mode 0600, made by `create` on first use. Two processes at once get the same content. */
export function readSecretFile(path: string, create: () => string): string {
  for (;;) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, `${create()}\n`, { mode: 0o600 });
    try {
      linkSync(part, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(part, { force: true });
    }
  }
}
