/**
 * Some phone systems tell of a press twice, by telephone-event and by INFO, in either order: this pairs the two. A digit
 * of one way that has its like of the other near its time is the same press; what finds none is a press of its own, so
 * that two presses told twice stay two, and each way alone is enough.
 */

/** An INFO may be retransmitted, or wait for the answer to the one before. */
const APART_MS = 2000;
/** More than anybody presses before the twin of the first has come. */
const MAX_UNPAIRED = 32;

interface Press {
  readonly digit: string;
  readonly startMs: number;
  readonly endMs: number;
}

export class KeyPresses {
  /** Of each way the presses whose twin has not come. */
  readonly #events: Press[] = [];
  readonly #infos: Press[] = [];

  /** A digit by telephone-event, known at its end. True when it is a new press. */
  event(digit: string, durationMs: number, nowMs: number): boolean {
    return isNew({ digit, startMs: nowMs - durationMs, endMs: nowMs }, this.#infos, this.#events);
  }

  /** A digit by INFO, sent at the beginning of the press or at its end. True when it is a new press. */
  info(digit: string, nowMs: number): boolean {
    return isNew({ digit, startMs: nowMs, endMs: nowMs }, this.#events, this.#infos);
  }
}

function isNew(press: Press, others: Press[], own: Press[]): boolean {
  const twin = others.findIndex(
    ({ digit, startMs, endMs }) =>
      digit === press.digit && startMs <= press.endMs + APART_MS && endMs >= press.startMs - APART_MS,
  );
  if (twin >= 0) {
    others.splice(twin, 1);
    return false;
  }
  own.push(press);
  if (own.length > MAX_UNPAIRED) own.shift();
  return true;
}
