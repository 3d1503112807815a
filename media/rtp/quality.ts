/**
 * Listening quality by the E-model (ITU-T G.107): R = 93.2 − Id − Ie,eff for random loss and a codec that impairs nothing
 * where none is lost (Ie 0).
 */
const R_DEFAULT = 93.2;
const DELAY_KNEE_MS = 177.3;

export interface PathQuality {
  /** Packets that were not played, 0..100. */
  readonly lossPct: number;
  /** Mouth to ear. */
  readonly oneWayDelayMs: number;
  /** Of the codec: Bpl. */
  readonly packetLossRobustness: number;
}

/** Mean opinion score, 1..4.5 (G.107 Annex B), to two decimals. */
export function estimateMos({ lossPct, oneWayDelayMs, packetLossRobustness }: PathQuality): number {
  const loss = Math.min(100, Math.max(0, lossPct));
  const delay = Math.max(0, oneWayDelayMs);
  const delayImpairment = 0.024 * delay + (delay > DELAY_KNEE_MS ? 0.11 * (delay - DELAY_KNEE_MS) : 0);
  const equipmentImpairment = (95 * loss) / (loss + packetLossRobustness);
  const r = R_DEFAULT - delayImpairment - equipmentImpairment;
  if (r <= 0) return 1;
  const mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
  return Math.round(Math.max(1, mos) * 100) / 100;
}
