import type { VerificationRound } from '../contract/number-verification';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { RetryOptions } from '../ops/retry';

/** Over a restart of Temporal; after it the next call to the number is told. */
const RETRIES = { pauseMs: 200, maximumPauseMs: 2_000, limitMs: 30_000 };
/** Numbers of which word is on its way; more of them wait for their next call. */
const MAX_UNDER_WAY = 1_000;

export interface AwaitedCallsOptions {
  /** Rejects while Temporal is away. */
  readonly signal: (round: VerificationRound) => Promise<void>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: RetryOptions['sleep'];
}

/** Tells the workflow of a number that a call to it has come in, once at a time. The call itself waits for nothing. */
export class AwaitedCalls {
  readonly #options: AwaitedCallsOptions;
  readonly #underWay = new Set<string>();
  readonly #closing = new AbortController();

  constructor(options: AwaitedCallsOptions) {
    this.#options = options;
  }

  called(round: VerificationRound): void {
    const { numberId } = round;
    if (this.#underWay.has(numberId) || this.#underWay.size >= MAX_UNDER_WAY) return;
    this.#underWay.add(numberId);
    void this.#tell(round).finally(() => this.#underWay.delete(numberId));
  }

  close(): void {
    this.#closing.abort();
  }

  async #tell(round: VerificationRound): Promise<void> {
    const { signal, sleep, logger } = this.#options;
    const options = { ...RETRIES, signal: this.#closing.signal, ...(sleep === undefined ? {} : { sleep }) };
    try {
      await retry(() => signal(round), options);
    } catch (error) {
      logger.warn({ err: error, numberId: round.numberId }, 'the next call to a number verifies it');
    }
  }
}
