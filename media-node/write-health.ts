/**
 * Does what a call needs to be written still take a write? A server can answer every question and store nothing: its disk
 * is full, or it was made read-only. Looked at every second, so that peers go elsewhere before calls fail.
 */
import type { Logger } from '../ops/logger';

export interface WriteProbe {
  /** As `/ready`, OPTIONS and the log name it. */
  readonly name: string;
  /** Writes as a call would. Rejects when the write is refused; that nobody answers is no refusal. */
  readonly write: () => Promise<void>;
}

export interface WriteHealthOptions {
  readonly probes: readonly WriteProbe[];
  readonly logger: Logger;
}

const EVERY_MS = 1_000;
/** One refusal may be a restart of the server. */
const REFUSALS = 2;

interface Watched {
  readonly probe: WriteProbe;
  refusals: number;
  running: boolean;
}

export class WriteHealth {
  readonly #watched: readonly Watched[];
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: WriteHealthOptions) {
    this.#watched = options.probes.map((probe) => ({ probe, refusals: 0, running: false }));
    this.#logger = options.logger;
  }

  /** What refuses to be written to. */
  get failing(): readonly string[] {
    return this.#watched.filter(({ refusals }) => refusals >= REFUSALS).map(({ probe }) => probe.name);
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const watched of this.#watched) void this.#look(watched);
    }, EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #look(watched: Watched): Promise<void> {
    if (watched.running) return;
    watched.running = true;
    const { probe } = watched;
    try {
      await probe.write();
      if (watched.refusals >= REFUSALS) this.#logger.info({ store: probe.name }, 'writes are taken again');
      watched.refusals = 0;
    } catch (error) {
      watched.refusals += 1;
      if (watched.refusals === REFUSALS) {
        this.#logger.error({ store: probe.name, err: error }, 'writes are refused: no new calls are taken');
      }
    } finally {
      watched.running = false;
    }
  }
}
