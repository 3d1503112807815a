/** Rows as they are read, stored in batches: while one is stored the next is read, and no more than these two are held. */

interface Batch<Row, Refused> {
  readonly rows: Row[];
  readonly refused: Refused[];
}

export interface BatchedRowsOptions<Row, Refused> {
  /** One transaction. Answers all rows of the batch that were not accepted. */
  readonly store: (batch: Batch<Row, Refused>, part: number) => Promise<readonly Refused[]>;
  readonly rowsPerBatch?: number;
  /** What has come is stored after this long, however little it is: nothing waits for a slow upload. */
  readonly longestMs?: number;
}

/** Some 100 ms of the database's time: far from its limit for a statement, and few round trips. */
const ROWS_PER_BATCH = 2000;
const LONGEST_MS = 5000;
const MOST_TOLD = 1000;

export class BatchedRows<Row, Refused> {
  readonly #options: BatchedRowsOptions<Row, Refused>;
  #batch: Batch<Row, Refused> = { rows: [], refused: [] };
  #part = 0;
  #begunMs = performance.now();
  #stored: Promise<void> = Promise.resolve();
  /** The first ones, as an answer tells them. */
  readonly told: Refused[] = [];

  constructor(options: BatchedRowsOptions<Row, Refused>) {
    this.#options = options;
  }

  accept(row: Row): void {
    this.#batch.rows.push(row);
  }

  refuse(row: Refused): void {
    this.#batch.refused.push(row);
  }

  /** Between pieces of the upload: whoever waits for it reads no further. Throws what the storing of an earlier batch threw. */
  async pace(): Promise<void> {
    const { rowsPerBatch = ROWS_PER_BATCH, longestMs = LONGEST_MS } = this.#options;
    const { rows, refused } = this.#batch;
    const count = rows.length + refused.length;
    if (count >= rowsPerBatch || (count > 0 && performance.now() - this.#begunMs > longestMs)) await this.#hand();
  }

  /** All of it is stored. */
  async end(): Promise<void> {
    await this.#hand();
    await this.#stored;
  }

  /** Nothing more is stored: what was handed over is done with, well or not. */
  async settled(): Promise<void> {
    await this.#stored.catch(() => undefined);
  }

  async #hand(): Promise<void> {
    const batch = this.#batch;
    this.#batch = { rows: [], refused: [] };
    await this.#stored;
    this.#begunMs = performance.now();
    if (batch.rows.length + batch.refused.length === 0) return;
    const part = this.#part++;
    this.#stored = this.#store(batch, part);
    // It is waited for later; until then nobody else hears of its failure.
    this.#stored.catch(() => undefined);
  }

  async #store(batch: Batch<Row, Refused>, part: number): Promise<void> {
    const refused = await this.#options.store(batch, part);
    this.told.push(...refused.slice(0, Math.max(0, MOST_TOLD - this.told.length)));
  }
}
