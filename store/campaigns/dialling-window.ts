/**
 * May a number be called now, and if not, when: the campaign's window in the contact's zone, within the legal hours.
 *
 * Everything is asked of the clock on the contact's wall, as the law asks it ("8 a.m. local time"): an instant is open when
 * every clock that the number may be near shows an open time. So where clocks go back, a time that comes twice counts both
 * times; where they go forward, a skipped start opens the window when the clocks jump past it, and a skipped end closes it
 * then. Days of 23, 24.5 or 25 hours need nothing more. The whole time of ringing lies within: a call is dialled only if it
 * would be open from then on for `ringMs` without a gap.
 */
import { CampaignHours, PARTS_OF_DAY } from './campaign-hours';
import type { CampaignRefusal, CampaignWindow } from './campaign-hours';
import { LEGAL_DAY_END_MS, LEGAL_DAY_START_MS, legalHoursOf } from './legal-hours';
import type { LegalHours, LegalRefusal } from './legal-hours';
import { DAY_MS, isTimeZone, localTimeText, readClock } from './zone-clock';

/** Where a number may be. */
export interface NumberPlace {
  /** IANA names; all must be open. None, or one that the runtime does not know: never open. */
  readonly zones: readonly string[];
  /** ISO 3166-2 where the number tells, such as `US-FL`; null where it does not. */
  readonly region: string | null;
}

export type WindowRefusal =
  | CampaignRefusal
  | LegalRefusal
  /** It is not known which clock counts. */
  | 'zone_unknown'
  /** Open, but it could ring until after the end. */
  | 'ring_past_window';

export interface ZoneDecision {
  readonly zone: string;
  /** `2026-03-08T09:30:00-05:00`; null of a zone that the runtime does not know. */
  readonly localTime: string | null;
  /** `off`, `federal`, or the region of a stricter rule. */
  readonly legalRule: string;
  /** Empty: open. */
  readonly refusals: readonly WindowRefusal[];
}

export interface WindowDecision {
  readonly allowed: boolean;
  /** Of all zones, each once. */
  readonly refusals: readonly WindowRefusal[];
  readonly zones: readonly ZoneDecision[];
}

/** How far `nextOpen` looks. */
const HORIZON_MS = 30 * DAY_MS;

/** Read once per version of a campaign and kept: every question is arithmetic on what is cached per zone and day. */
export class DiallingWindow {
  readonly #window: CampaignWindow;
  readonly #hours: CampaignHours;
  readonly #legal: boolean;
  /** Merged edges by legal hours. */
  #parts: readonly DiallingWindow[] | undefined;
  readonly #edges = new Map<LegalHours | null, readonly number[]>();

  /** Throws RangeError for a window that cannot be read. `hours`: instead of the window's own. */
  constructor(window: CampaignWindow, hours: CampaignHours = CampaignHours.read(window)) {
    this.#window = window;
    this.#hours = hours;
    this.#legal = window.legal === 'default';
  }

  /** The legal hours beside its own. */
  get keepsLaw(): boolean {
    return this.#legal;
  }

  /** With reasons, for the evidence. Epoch ms; `ringMs`: how long it may ring. */
  decide(place: NumberPlace, atMs: number, ringMs: number): WindowDecision {
    const legal = this.#legalHours(place);
    const zones = place.zones.map((zone) => this.#decideZone(zone, legal, atMs, ringMs));
    const refusals = new Set(zones.flatMap((zone) => zone.refusals));
    if (zones.length === 0) refusals.add('zone_unknown');
    return { allowed: refusals.size === 0, refusals: [...refusals], zones };
  }

  /** As `decide`, without the reasons. */
  isOpen(place: NumberPlace, atMs: number, ringMs: number): boolean {
    if (place.zones.length === 0 || !place.zones.every(isTimeZone)) return false;
    const legal = this.#legalHours(place);
    return place.zones.every((zone) => this.#firstClosed(zone, legal, atMs, ringMs) === null);
  }

  /** The first instant from `fromMs` on at which `isOpen`; epoch ms; null when there is none within 30 days. */
  nextOpen(place: NumberPlace, fromMs: number, ringMs: number): number | null {
    if (place.zones.length === 0 || !place.zones.every(isTimeZone)) return null;
    const legal = this.#legalHours(place);
    const untilMs = fromMs + HORIZON_MS;
    let atMs = fromMs;
    // Each zone only ever moves it to its own first possible instant, so what all agree on is the first of all.
    for (let agreed = 0, next = 0; agreed < place.zones.length; next = (next + 1) % place.zones.length) {
      const zoneMs = this.#nextOpenIn(place.zones[next] as string, legal, atMs, ringMs, untilMs);
      if (zoneMs === null) return null;
      agreed = zoneMs === atMs ? agreed + 1 : 1;
      atMs = zoneMs;
    }
    return atMs;
  }

  /** Whether there is an hour of any week, holidays aside, at which it may ring so long in some place. */
  everOpens(ringMs: number): boolean {
    const everyWeek = new DiallingWindow({ ...this.#window, holidays: [] });
    // The law of a state or country only ever takes hours from those of no region.
    return everyWeek.nextOpen({ zones: ['UTC'], region: null }, 0, ringMs) !== null;
  }

  /**
   * The parts of this window's day, earliest first, each a window of its own: what "another time of day" chooses from. The
   * hours that the federal rule closes anyway are left out before they are divided.
   */
  partsOfDay(): readonly DiallingWindow[] {
    const legalDay = this.#legal ? ([LEGAL_DAY_START_MS, LEGAL_DAY_END_MS] as const) : ([] as const);
    this.#parts ??= Array.from(
      { length: PARTS_OF_DAY },
      (_, part) => new DiallingWindow(this.#window, this.#hours.part(part, ...legalDay)),
    );
    return this.#parts;
  }

  #legalHours(place: NumberPlace): LegalHours | null {
    return this.#legal ? legalHoursOf(place.region) : null;
  }

  #decideZone(zone: string, legal: LegalHours | null, atMs: number, ringMs: number): ZoneDecision {
    const legalRule = legal?.rule ?? 'off';
    if (!isTimeZone(zone)) return { zone, localTime: null, legalRule, refusals: ['zone_unknown'] };
    const { day, timeMs } = readClock(zone, atMs);
    const refusals: WindowRefusal[] = [];
    const byCampaign = this.#hours.refusal(day, timeMs);
    const byLaw = legal?.refusal(day, timeMs) ?? null;
    if (byCampaign !== null) refusals.push(byCampaign);
    if (byLaw !== null) refusals.push(byLaw);
    if (refusals.length === 0 && this.#firstClosed(zone, legal, atMs, ringMs) !== null) {
      refusals.push('ring_past_window');
    }
    return { zone, localTime: localTimeText(zone, atMs), legalRule, refusals };
  }

  /** The first instant, while it rings, of a closed stretch; null: none. */
  #firstClosed(zone: string, legal: LegalHours | null, atMs: number, ringMs: number): number | null {
    const endMs = atMs + Math.max(ringMs, 1);
    for (let cursorMs = atMs; cursorMs < endMs;) {
      const stretch = this.#stretch(zone, legal, cursorMs);
      if (!stretch.open) return cursorMs;
      cursorMs = stretch.untilMs;
    }
    return null;
  }

  #nextOpenIn(zone: string, legal: LegalHours | null, fromMs: number, ringMs: number, untilMs: number): number | null {
    let atMs = fromMs;
    for (let cursorMs = fromMs; cursorMs < atMs + Math.max(ringMs, 1);) {
      const stretch = this.#stretch(zone, legal, cursorMs);
      cursorMs = stretch.untilMs;
      if (!stretch.open) atMs = cursorMs;
      if (atMs > untilMs) return null;
    }
    return atMs;
  }

  /** Whether the clock shows an open time, for how long it may ring aside. */
  showsOpen(zone: string, atMs: number): boolean {
    return isTimeZone(zone) && this.#stretch(zone, null, atMs).open;
  }

  /** Whether an instant is open, and until when the answer is sure to stay: to the next edge, or change of offset. */
  #stretch(zone: string, legal: LegalHours | null, atMs: number): { readonly open: boolean; readonly untilMs: number } {
    const { day, timeMs, steadyUntilMs } = readClock(zone, atMs);
    const open = this.#hours.refusal(day, timeMs) === null && (legal === null || legal.refusal(day, timeMs) === null);
    const edgeMs = this.#edgesWith(legal).find((edge) => edge > timeMs) ?? DAY_MS;
    return { open, untilMs: Math.min(atMs + edgeMs - timeMs, steadyUntilMs) };
  }

  #edgesWith(legal: LegalHours | null): readonly number[] {
    let edges = this.#edges.get(legal);
    if (edges === undefined) {
      edges = [...this.#hours.edgesMs, ...(legal?.edgesMs ?? [])].toSorted((a, b) => a - b);
      this.#edges.set(legal, edges);
    }
    return edges;
  }
}
