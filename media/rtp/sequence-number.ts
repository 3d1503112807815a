/** Serial arithmetic of RTP's 16-bit sequence numbers and 32-bit timestamps (RFC 3550 §5.1, A.1). */

/** Signed distance from one sequence number to another, −32768..32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Signed distance in clock ticks from one timestamp to another, −2³¹..2³¹−1. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Continues an unwrapped timestamp: the value congruent to `timestamp` that is nearest to `reference`. */
export function unwrapTimestamp(reference: number, timestamp: number): number {
  return reference + timestampDistance((reference % 4294967296) | 0, timestamp);
}
