import type { CampaignSettlement, TurnReport } from './activities';
import type { CampaignResumption, CampaignStanding } from './messages';

/** Where nobody is left, and yet it is not over: an import is under way. */
const LOOK_AGAIN_MS = 5_000;
/** A campaign that is about to be over, and whose calls end without a word. */
const ENDING_AGAIN_MS = 30_000;
/** Between two looks of its guards. */
const GUARDS_EVERY_MS = 10_000;
/** The word that a call has ended may die with the process that was to bring it. */
const WORDLESS_MS = { whileCalling: 15_000, otherwise: 300_000 } as const;

/**
 * What a campaign's workflow has heard and done. Pure.
 *
 * Two things go on beside each other: what was told is settled, a look that begins after a word covering it; and while
 * the campaign runs there is a turn whenever somebody may be due.
 */
export class CampaignProgress {
  #told: number;
  #settledUpTo = 0;
  #again: boolean;
  #settlement: CampaignSettlement | null;
  #started: number;
  #calling = 0;
  #open = 0;
  #turnWanted = false;
  #nextTurnAtMs: number | null;
  #guardsAtMs = 0;

  /** A new workflow has to look at its row; one that goes on from an earlier run has. */
  constructor(resumed?: CampaignResumption) {
    this.#told = resumed === undefined ? 1 : 0;
    this.#settlement = resumed?.settlement ?? null;
    this.#again = resumed?.settlement.again ?? false;
    this.#started = resumed?.started ?? 0;
    this.#nextTurnAtMs = resumed?.nextTurnAtMs ?? null;
    this.#open = resumed?.settlement.open ?? 0;
  }

  get standing(): CampaignStanding {
    const { status = null } = this.#settlement ?? {};
    const nextTurnAtMs = this.running ? this.#nextTurnAtMs : null;
    return { status, started: this.#started, calling: this.#calling, open: this.#open, nextTurnAtMs };
  }

  /** Null before the first look. */
  get resumption(): CampaignResumption | null {
    const settlement = this.#settlement;
    // What moved and was not looked at is looked at by the next run.
    const nextTurnAtMs = this.#turnWanted ? 0 : this.#nextTurnAtMs;
    return settlement === null ? null : { settlement, started: this.#started, nextTurnAtMs };
  }

  get schedules(): string | null {
    return this.#settlement?.schedules ?? null;
  }

  get untold(): boolean {
    return this.#told > this.#settledUpTo;
  }

  get unsettled(): boolean {
    return this.untold || this.#again;
  }

  get running(): boolean {
    return this.#settlement?.status === 'running';
  }

  /** Nothing will ever be left to do, unless it is told of a change. */
  get over(): boolean {
    if (this.#settlement === null || this.unsettled) return false;
    const { status, open } = this.#settlement;
    if (status === 'canceled') return open === 0;
    return status !== 'scheduled' && status !== 'running' && status !== 'paused';
  }

  /** Answers what `isSettled` takes. */
  told(): number {
    return ++this.#told;
  }

  isSettled(word: number): boolean {
    return this.#settledUpTo >= word;
  }

  /** Whoever waits for a call to end, or for somebody to call. */
  moved(): void {
    this.#turnWanted = true;
    // Its calls end one by one; whose contact is left then gets none any more.
    if (this.#settlement?.status === 'canceled') this.told();
  }

  /** What is told from here on needs another look. */
  settling(): number {
    return this.#told;
  }

  settled(word: number, settlement: CampaignSettlement): void {
    this.#settledUpTo = word;
    this.#again = settlement.again;
    this.#settlement = settlement;
    this.#open = settlement.open;
    if (settlement.status === 'running') this.#turnWanted = true;
  }

  /** Its guards are to look now; not again for a while then. */
  takeGuards(nowMs: number): boolean {
    if (!this.running || this.#settlement?.guarded !== true || nowMs < this.#guardsAtMs) return false;
    this.#guardsAtMs = nowMs + GUARDS_EVERY_MS;
    return true;
  }

  /** Until it has to look without having been told, ms; null: for ever. */
  lookInMs(nowMs: number): number | null {
    if (this.#settlement === null) return null;
    const { status, endsAtMs } = this.#settlement;
    if (status === 'canceled') return ENDING_AGAIN_MS;
    if (endsAtMs === null) return null;
    return endsAtMs > nowMs ? endsAtMs - nowMs : ENDING_AGAIN_MS;
  }

  /** Until the next turn, ms; 0: now; null: not before something is told. */
  turnInMs(nowMs: number): number | null {
    if (!this.running) return null;
    if (this.#turnWanted) return 0;
    return this.#nextTurnAtMs === null ? null : Math.max(0, this.#nextTurnAtMs - nowMs);
  }

  /** What moves from here on needs another turn. */
  turning(): void {
    this.#turnWanted = false;
  }

  turned({ status, started, calling, open, wakeInMs, changed = false }: TurnReport, nowMs: number): void {
    this.#started += started;
    this.#calling = calling;
    this.#open = open;
    const most = calling > 0 ? WORDLESS_MS.whileCalling : WORDLESS_MS.otherwise;
    this.#nextTurnAtMs = nowMs + Math.min(wakeInMs ?? most, most);
    const endsAtMs = this.#settlement?.endsAtMs ?? null;
    const ended = endsAtMs !== null && endsAtMs <= nowMs && calling === 0;
    if (open === 0) this.#nextTurnAtMs = nowMs + LOOK_AGAIN_MS;
    // A turn that was under way when the campaign was ended has nothing new to say.
    if (this.running && (changed || status !== 'running' || open === 0 || ended)) this.told();
  }
}
