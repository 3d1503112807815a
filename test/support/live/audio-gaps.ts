/**
 * Interruptions of what a phone hears, told apart from a phone that was kept from listening. The control is a stream
 * between two phones of the same thread: where it stands still as well, the test had no processor. Pure.
 */
import type { Arrivals } from '../phone/media';

/** Between two packets; epoch ms. */
export interface Gap {
  readonly startMs: number;
  readonly endMs: number;
}

/** A control that hears its 20 ms packets this far apart says nothing of the product. */
const STALL_MS = 60;

/** Epoch ms of every packet. */
export function arrivalTimes({ firstAtMs, arrivalsMs }: Pick<Arrivals, 'firstAtMs' | 'arrivalsMs'>): number[] {
  return firstAtMs === null ? [] : [firstAtMs, ...arrivalsMs];
}

/** From the first packet to `untilMs`, the time without a packet before it included. */
export function gapsUntil(times: readonly number[], untilMs: number): Gap[] {
  const before = times.filter((time) => time < untilMs);
  return before.map((startMs, i) => ({ startMs, endMs: before[i + 1] ?? untilMs }));
}

export function stallsOf(control: readonly number[], untilMs: number): Gap[] {
  return gapsUntil(control, untilMs).filter(({ startMs, endMs }) => endMs - startMs > STALL_MS);
}

/** How long the product was silent while the phone did listen. */
export function unexplainedMs(gap: Gap, stalls: readonly Gap[]): number {
  const explained = stalls.reduce(
    (sum, stall) => sum + Math.max(0, Math.min(gap.endMs, stall.endMs) - Math.max(gap.startMs, stall.startMs)),
    0,
  );
  return gap.endMs - gap.startMs - explained;
}
