import type { VerificationRound } from '../contract/number-verification';
import { OwnNumbers } from '../store/routing/own-numbers';

/** The numbers of one organisation that the next call to them verifies, found by whatever way a carrier writes them. */
export class AwaitedNumbers {
  readonly #numbers = new OwnNumbers();
  readonly #rounds = new Map<string, VerificationRound>();

  add(phoneNumber: string, round: VerificationRound): void {
    this.#numbers.verify(phoneNumber, null);
    this.#rounds.set(phoneNumber, round);
  }

  delete(phoneNumber: string): void {
    this.#numbers.unverify(phoneNumber);
    this.#rounds.delete(phoneNumber);
  }

  find(userPart: string): VerificationRound | undefined {
    if (this.#rounds.size === 0) return undefined;
    const own = this.#numbers.dialed(userPart)?.own;
    return own == null ? undefined : this.#rounds.get(own.phoneNumber);
  }
}
