/** What the agent is given to say from outside the conversation: said in order, each as soon as the floor is free. */
import type { CommandOutcome } from '../../../contract/commands';
import type { Reply } from './reply';

const MAX_WAITING = 10;

interface GivenWords {
  readonly sentences: readonly string[];
  readonly onOutcome: (outcome: CommandOutcome) => void;
  readonly onOver?: (() => void) | undefined;
}

export class Announcements {
  readonly #waiting: GivenWords[] = [];
  readonly #begun = new Map<Reply, GivenWords>();
  readonly #sounded = new Set<Reply>();

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
    const words = this.#begun.get(reply);
    if (!words || this.#sounded.has(reply)) return;
    this.#sounded.add(reply);
    words.onOutcome('done');
  }

  /** The reply is over: whatever has not sounded by now never will. */
  given(reply: Reply): void {
    const words = this.#begun.get(reply);
    if (!this.#sounded.delete(reply)) words?.onOutcome('superseded');
    words?.onOver?.();
    this.#begun.delete(reply);
  }

  /** Nothing that waits will be said. */
  drop(): void {
    for (const { onOutcome, onOver } of this.#waiting.splice(0)) {
      onOutcome('superseded');
      onOver?.();
    }
  }
}
