/** Where what two say together is bent, so that it never reaches the end of the scale: −2.5 dBov. */
const KNEE = 24_576;
const ROOM = 32_767 - KNEE;

/**
 * Adds `other` to `out`. Sums up to the knee are exact, and those beyond it approach the largest sample without an edge:
 * two voices seldom meet there, and what is bent sounds better than what is cut, or than both made softer at all times.
 */
export function mixInto(out: Int16Array, other: Int16Array): void {
  for (let i = 0; i < out.length; i++) {
    const sum = (out[i] as number) + (other[i] as number);
    const over = Math.abs(sum) - KNEE;
    if (over <= 0) out[i] = sum;
    else out[i] = Math.sign(sum) * Math.round(KNEE + (over * ROOM) / (over + ROOM));
  }
}
