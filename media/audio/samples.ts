/** `values[from..to)` as 16-bit samples in the same places of `out`: what is too loud is cut, never wrapped. */
export function toSamples(values: Float32Array, out: Int16Array, from: number, to: number): void {
  for (let i = from; i < to; i++) out[i] = Math.max(-32768, Math.min(32767, Math.round(values[i]!)));
}
