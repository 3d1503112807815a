/** What is dropped at once: the first entry of a map lies behind the gaps of all that were deleted before it. */
const SHARE = 64;

/** Drops the entries that were set first once there are more than `maximum`, some at a time. */
export function keepNewest(entries: Map<unknown, unknown> | Set<unknown>, maximum: number): void {
  if (entries.size <= maximum) return;
  let surplus = Math.ceil(maximum / SHARE);
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    surplus -= 1;
    if (surplus === 0) return;
  }
}
