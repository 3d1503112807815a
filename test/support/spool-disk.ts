/**
 * The disk of a stack's spool, apart from that of its servers, so that it can be full alone: a small file system of its
 * own where one may be mounted, else a limit to what the media node's files hold.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { limitFileSize } from './file-size-limit';
import type { Stack } from './stack';

const SIZE_MB = 2;
/** Less than a node looks for, and enough for a part of what it has to write. */
const ROOM_BYTES = 12_000;

export class SpoolDisk {
  /** For the report of a run. */
  readonly kind: 'a file system of its own' | 'a limit of file sizes';
  readonly #folder: string;
  readonly #ballast: string;

  /** Before the stack starts. */
  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'spool');
    this.#ballast = join(this.#folder, 'ballast');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    let mounted = true;
    try {
      const options = `size=${SIZE_MB}m,mode=700`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', this.#folder], { stdio: 'ignore' });
    } catch {
      mounted = false;
    }
    this.kind = mounted ? 'a file system of its own' : 'a limit of file sizes';
  }

  get #mounted(): boolean {
    return this.kind === 'a file system of its own';
  }

  fill(stack: Stack): void {
    if (!this.#mounted) return limitFileSize(stack.pid('media'), ROOM_BYTES);
    const { bavail, bsize } = statfsSync(this.#folder);
    writeFileSync(this.#ballast, Buffer.alloc(Math.max(0, bavail * bsize - ROOM_BYTES)));
  }

  makeRoom(stack: Stack): void {
    if (!this.#mounted) return limitFileSize(stack.pid('media'), null);
    rmSync(this.#ballast, { force: true });
  }

  close(): void {
    if (this.#mounted) execFileSync('umount', [this.#folder]);
  }
}
