import type { PeerLife } from './dialog';
import type { InDialogRequest, InDialogResult } from './dialog-requests';

/** Asks the peer of a dialog whether it is there, by OPTIONS (RFC 3261 §11); who asks meanwhile gets the same answer. */
export class LivenessProbe {
  readonly #request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
  #underWay: { readonly answer: Promise<PeerLife>; readonly settle: (life: PeerLife) => void } | null = null;

  constructor(request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void) {
    this.#request = request;
  }

  ask(): Promise<PeerLife> {
    if (this.#underWay !== null) return this.#underWay.answer;
    let settle: (life: PeerLife) => void = () => undefined;
    const answer = new Promise<PeerLife>((resolve) => (settle = resolve));
    this.#underWay = { answer, settle };
    this.#request({ method: 'OPTIONS', headers: [] }, (result) => this.settle(lifeOf(result)));
    return answer;
  }

  /** Also when the dialog ends before an answer came. */
  settle(life: PeerLife): void {
    const underWay = this.#underWay;
    this.#underWay = null;
    underWay?.settle(life);
  }
}

/** RFC 3261 §12.2.1.2: no answer, or one that knows of no such dialog. Any other answer is a sign of life. */
function lifeOf(result: InDialogResult): PeerLife {
  if (typeof result !== 'object') return 'gone';
  return result.status === 408 || result.status === 481 ? 'gone' : 'alive';
}
