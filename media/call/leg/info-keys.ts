/**
 * Keys that we press by INFO `application/dtmf-relay` (no RFC: as phones and carriers have it), one after the other: the peer
 * plays each for as long as it is told, and one that comes meanwhile would be lost.
 */
import type { Clock } from '../../clock';
import type { InboundDialog } from '../../sip/dialog';

const CONTENT_TYPE = 'application/dtmf-relay';
/** As the telephone-events of ours last, and the silence between two. */
const TONE_MS = 100;
const GAP_MS = 80;
/** Half a second of nothing. */
const PAUSE = 'w';
const PAUSE_MS = 500;
/** Of other peers, who press faster than we: what is beyond is dropped. */
const MAX_RELAYED = 32;

type InfoDialog = Pick<InboundDialog, 'info'>;

export class InfoKeys {
  readonly #clock: Clock;
  readonly #dialog: () => InfoDialog | null;
  #last: Promise<void> = Promise.resolve();
  #relayed = 0;

  constructor(clock: Clock, dialog: () => InfoDialog | null) {
    this.#clock = clock;
    this.#dialog = dialog;
  }

  /** Resolves when the peer has taken the last one; rejects when it has refused one, and the rest is not pressed. */
  press(keys: string): Promise<void> {
    const pressed = this.#last.then(() => this.#press(keys));
    this.#last = pressed.catch(() => undefined); // whoever pressed those is told
    return pressed;
  }

  /** A key that another peer pressed. */
  relay(key: string): void {
    if (this.#relayed >= MAX_RELAYED) return;
    this.#relayed++;
    const done = (): void => void this.#relayed--;
    this.press(key).then(done, done);
  }

  async #press(keys: string): Promise<void> {
    for (const key of keys) {
      if (key === PAUSE) await this.#rest(PAUSE_MS);
      else {
        const taken = await this.#dialog()?.info(CONTENT_TYPE, `Signal=${key}\r\nDuration=${TONE_MS}\r\n`);
        if (taken !== true) throw new Error('the peer does not take this key');
        await this.#rest(TONE_MS + GAP_MS);
      }
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimeout(resolve, ms));
  }
}
