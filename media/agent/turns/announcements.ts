/** What the agent is given to say from outside the conversation: said in order, each as soon as the floor is free. */
import type { CommandOutcome } from '../../../contract/commands';
import type { Reply } from './reply';

const MAX_WAITING = 10;

interface GivenWords {
  readonly sentences: readonly string[];
  readonly onOutcome: (outcome: CommandOutcome) => void;
}

export class Announcements {
  readonly #waiting: GivenWords[] = [];
  readonly #begun = new Map<Reply, GivenWords>();

  /** False when too many wait. */
  add(announcement: GivenWords): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(announcement);
    return true;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  next(): GivenWords | undefined {
    return this.#waiting.shift();
  }

  /** This reply says it. */
  begun(reply: Reply, announcement: GivenWords): void {
    this.#begun.set(reply, announcement);
  }

  /** Its first sound has left. */
  heard(reply: Reply): void {
    this.#settle(reply, 'done');
  }

  /** The reply is over: whatever has not sounded by now never will. */
  given(reply: Reply): void {
    this.#settle(reply, 'superseded');
  }

  /** Nothing that waits will be said. */
  drop(): void {
    for (const { onOutcome } of this.#waiting.splice(0)) onOutcome('superseded');
  }

  #settle(reply: Reply, outcome: CommandOutcome): void {
    this.#begun.get(reply)?.onOutcome(outcome);
    this.#begun.delete(reply);
  }
}
