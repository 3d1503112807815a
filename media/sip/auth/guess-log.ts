import type { Clock, TimerHandle } from '../../clock';

/** Wrong credentials of some seconds. */
export interface GuessReport {
  readonly failures: number;
  /** Credentials that were not looked at, because their source had to wait. */
  readonly withheld: number;
  readonly sources: number;
  /** Pairs of source and user name; the names themselves may be phone numbers. */
  readonly users: number;
  /** Some of the sources. */
  readonly from: readonly string[];
  /** Some of the trunks whose user name was used. */
  readonly trunkIds: readonly string[];
}

interface Guess {
  readonly source: string;
  readonly user: string;
  readonly trunkId?: string | undefined;
  readonly withheld: boolean;
}

/** At most one report in so many ms, whoever guesses what. */
const REPORT_MS = 10_000;
/** Sources and users are told apart up to this. */
const MAX_COUNTED = 1_000;
const MAX_NAMED = 5;

/** Tells of the first guess at once, and of those that follow in sums. */
export class GuessLog {
  readonly #clock: Clock;
  readonly #onReport: (report: GuessReport) => void;
  readonly #sources = new Set<string>();
  readonly #users = new Set<string>();
  readonly #trunkIds = new Set<string>();
  #failures = 0;
  #withheld = 0;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, onReport: (report: GuessReport) => void) {
    this.#clock = clock;
    this.#onReport = onReport;
  }

  note({ source, user, trunkId, withheld }: Guess): void {
    if (withheld) this.#withheld += 1;
    else this.#failures += 1;
    if (this.#sources.size < MAX_COUNTED) this.#sources.add(source);
    if (this.#users.size < MAX_COUNTED) this.#users.add(user);
    if (trunkId !== undefined && this.#trunkIds.size < MAX_NAMED) this.#trunkIds.add(trunkId);
    if (this.#timer === undefined) this.#report();
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell();
  }

  #report(): void {
    this.#tell();
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#failures + this.#withheld > 0) this.#report();
    }, REPORT_MS);
  }

  #tell(): void {
    if (this.#failures + this.#withheld === 0) return;
    this.#onReport({
      failures: this.#failures,
      withheld: this.#withheld,
      sources: this.#sources.size,
      users: this.#users.size,
      from: [...this.#sources].slice(0, MAX_NAMED),
      trunkIds: [...this.#trunkIds],
    });
    this.#failures = 0;
    this.#withheld = 0;
    for (const seen of [this.#sources, this.#users, this.#trunkIds]) seen.clear();
  }
}
