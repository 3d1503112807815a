import type { VerificationRound } from '../../contract/number-verification';

/**
 * What the workflow of a number knows of its rounds. Pure: no timers, no activities.
 *
 *     round n ──called──▶ round n, called ──over──▶ round n, over ──begin n + k──▶ round n + k
 *
 * Only words about the present round count, and a round never gives way to an earlier one: signals of two API processes
 * may come in another order than their transactions.
 */
export class RoundProgress {
  #round: VerificationRound;
  #called = false;
  #over: { readonly gone: boolean } | null = null;

  constructor(first: VerificationRound) {
    this.#round = first;
  }

  get round(): VerificationRound {
    return this.#round;
  }

  /** A call to the number has come in. */
  get called(): boolean {
    return this.#called;
  }

  begin(round: VerificationRound): void {
    if (round.n <= this.#round.n) return;
    this.#round = round;
    this.#called = false;
    this.#over = null;
  }

  onCalled(n: number): void {
    if (n === this.#round.n) this.#called = true;
  }

  onOver(n: number, gone: boolean): void {
    if (n === this.#round.n) this.#over ??= { gone };
  }

  /** Nothing is to be done for that round any more. */
  isOver({ n }: VerificationRound): boolean {
    return n !== this.#round.n || this.#over !== null;
  }

  /** It ended elsewhere, and the number is still wanted. */
  isDecided({ n }: VerificationRound): boolean {
    return n === this.#round.n && this.#over?.gone === false;
  }

  /** Its code is of no use any more, also if it is being spoken now. */
  isGivenUp({ n }: VerificationRound): boolean {
    return n !== this.#round.n || this.#over?.gone === true;
  }
}
