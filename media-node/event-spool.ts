import { appendFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallEvent } from '../contract/events';

const SUFFIX = '.events.jsonl';
/** A file is read and parsed as a whole, in about 10 ms, on the thread that also does the signalling. */
const MAX_FILE_BYTES = 1_000_000;
/** As much as many calls report in a second. */
const PROBE = Buffer.alloc(64 * 1024);

/**
 * Events that PostgreSQL could not take, one JSON object a line, in files of at most `maxFileBytes`. Files of an earlier
 * boot are found again. What a crash cut off in the last line is skipped. Mode 0600: events hold what was said.
 */
export class EventSpool {
  readonly #directory: string;
  readonly #maxFileBytes: number;
  readonly #prefix: string;
  #file: string | null = null;
  #fileBytes = 0;
  #counter = 0;

  constructor(directory: string, options: { readonly bootId: string; readonly maxFileBytes?: number }) {
    this.#directory = directory;
    this.#maxFileBytes = options.maxFileBytes ?? MAX_FILE_BYTES;
    this.#prefix = options.bootId;
  }

  async append(events: readonly CallEvent[]): Promise<void> {
    if (events.length === 0) return;
    const lines = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''), 'utf8');
    if (this.#file === null || this.#fileBytes + lines.length > this.#maxFileBytes) await this.#nextFile();
    try {
      await appendFile(this.#file as string, lines, { mode: 0o600, flush: true });
    } catch (error) {
      await this.#undo(this.#file as string);
      throw error;
    }
    this.#fileBytes += lines.length;
  }

  /** Of a write that was cut off nothing stays: its events come again, and on a full disk others need the room. */
  async #undo(file: string): Promise<void> {
    try {
      if (this.#fileBytes > 0) return await truncate(file, this.#fileBytes);
      await rm(file, { force: true });
    } catch {
      // It may end in half a line, to which nothing must be added.
    }
    this.#file = null;
  }

  /** Rejects when nothing can be written here. */
  async probe(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, `${this.#prefix}.probe`);
    try {
      await writeFile(file, PROBE, { mode: 0o600 });
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Of this boot or of all others, the oldest of a boot first. */
  async files(of: 'own' | 'earlier'): Promise<string[]> {
    try {
      const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX));
      const chosen = names.filter((name) => name.startsWith(`${this.#prefix}-`) === (of === 'own'));
      return chosen.toSorted().map((name) => join(this.#directory, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** The file is closed to further events by it. */
  async read(file: string): Promise<{ readonly events: CallEvent[]; readonly unreadable: number }> {
    if (file === this.#file) this.#file = null;
    let unreadable = 0;
    const events: CallEvent[] = [];
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line === '') continue;
      try {
        events.push(JSON.parse(line) as CallEvent);
      } catch {
        unreadable++; // the process died while it wrote this line
      }
    }
    return { events, unreadable };
  }

  async remove(file: string): Promise<void> {
    await rm(file, { force: true });
  }

  async #nextFile(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    this.#file = join(this.#directory, `${this.#prefix}-${String(this.#counter++).padStart(6, '0')}${SUFFIX}`);
    this.#fileBytes = 0;
  }
}
