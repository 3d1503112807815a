import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const NAME_WIDTH = 10;
const KEPT_LINES = 20;

/** Passes on what a process prints, each line behind the process's name, and keeps its last lines for an obituary. */
export class ProcessOutput {
  readonly #prefix: string;
  readonly #write: (line: string) => void;
  readonly #last: string[] = [];

  constructor(name: string, write: (line: string) => void = (line) => process.stdout.write(line)) {
    this.#prefix = `${name.padEnd(NAME_WIDTH)} | `;
    this.#write = write;
  }

  /** The lines printed last, oldest first. */
  get lastLines(): readonly string[] {
    return this.#last;
  }

  line(text: string): void {
    this.#last.push(text);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
    this.#write(`${this.#prefix}${text}\n`);
  }

  follow(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.line(line));
  }
}
