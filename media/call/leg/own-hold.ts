/**
 * Our hold of one leg, to which its peer has to agree: one change after the other, in the order in which they were asked
 * for. One that fails leaves it as it was; one that would change nothing asks nobody.
 */

/** `status`: of the peer's refusal, null when it has not answered. */
export type HoldResult = { readonly ok: true } | { readonly ok: false; readonly status: number | null };

/** Calls `agreed` when the change is in force; never rejects. */
type AskPeer = (held: boolean, agreed: () => void) => Promise<HoldResult>;

/** Beside the one that the peer is being asked for. */
const MAX_WAITING = 10;

export class OwnHold {
  readonly #ask: AskPeer;
  #held = false;
  #asked = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ask: AskPeer) {
    this.#ask = ask;
  }

  get held(): boolean {
    return this.#held;
  }

  /** The peer is being asked for a change, or is going to be. */
  get changing(): boolean {
    return this.#asked > 0;
  }

  /** Null: as many wait as may. */
  change(held: boolean): Promise<HoldResult> | null {
    if (this.#asked > MAX_WAITING) return null;
    this.#asked++;
    const result = this.#last.then(() => this.#change(held));
    this.#last = result;
    return result;
  }

  async #change(held: boolean): Promise<HoldResult> {
    const agreed = (): void => {
      this.#held = held;
    };
    const result: HoldResult = this.#held === held ? { ok: true } : await this.#ask(held, agreed);
    this.#asked--;
    return result;
  }
}
