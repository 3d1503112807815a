import type { Discrepancy } from './activities';
/** What both passes show: the same call, for the same cause, at the same place. */
export function confirmed(first: readonly Discrepancy[], second: readonly Discrepancy[]): readonly Discrepancy[] {
  const seen = new Set(first.map(keyOf));
  return second.filter((discrepancy) => seen.has(keyOf(discrepancy)));
}

const keyOf = ({ cause, callId, nodeId, bootId }: Discrepancy): string =>
  [cause, callId, nodeId ?? '', bootId ?? ''].join('|');
