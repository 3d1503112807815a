/** Of the call of a campaign: whether whoever is called has said, or pressed, that they are not to be called again. */
import type { OptOutWay } from '../../../contract/events';
import type { AgentDelegate } from '../agent-session';
import { asksToOptOut, OPT_OUT_KEY, pressesOptOut } from './opt-out';

export class OptingOut {
  readonly #allowed: boolean;
  readonly #onOptOut: AgentDelegate['onOptOut'];
  #done = false;

  constructor({ allowed, onOptOut }: { readonly allowed: boolean; readonly onOptOut: AgentDelegate['onOptOut'] }) {
    this.#allowed = allowed;
    this.#onOptOut = onOptOut;
  }

  /** They have: the call ends by that, whatever else is said. */
  get done(): boolean {
    return this.#done;
  }

  get possible(): boolean {
    return this.#allowed && !this.#done;
  }

  saidIn(text: string): boolean {
    return this.possible && asksToOptOut(text);
  }

  pressedIn(digits: readonly string[]): boolean {
    return this.possible && pressesOptOut(digits);
  }

  /** Whatever else the key is for, in these calls it is for that. */
  takes(digit: string): boolean {
    return this.#allowed && digit === OPT_OUT_KEY;
  }

  /** Resolves with whether it is written down for good. */
  see(by: OptOutWay): Promise<boolean> {
    this.#done = true;
    return this.#onOptOut?.(by) ?? Promise.resolve(false);
  }
}
