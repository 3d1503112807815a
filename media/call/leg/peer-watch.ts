import type { Leg } from './leg';

export interface PeerWatchOptions {
  readonly leg: () => Pick<Leg, 'probe'>;
  /** Its call stands. */
  readonly isUp: () => boolean;
  readonly onGone: () => void;
}

/** Looks by signalling for a peer whose packets have stopped: one that does not answer in its dialog either is gone. */
export class PeerWatch {
  readonly #options: PeerWatchOptions;
  #quiet = false;
  #looking = false;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
  }

  /** The packets have stopped, or are back. */
  async mediaQuiet(quiet: boolean): Promise<void> {
    const { leg, isUp, onGone } = this.#options;
    this.#quiet = quiet;
    if (!quiet || this.#looking || !isUp()) return;
    this.#looking = true;
    const life = await leg().probe();
    this.#looking = false;
    if (life === 'gone' && this.#quiet && isUp()) onGone();
  }
}
