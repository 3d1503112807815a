/** How a step of a check is told: every one has its words, a failed one also a cause and a remedy. */
import type { CheckStep } from '../../../contract/trunk-check';
import { plainText } from '../../../ops/plain-text';

/** Of a carrier's words a person reads the first. */
const MAX_DETAIL_CHARS = 1_000;

export interface Advice {
  readonly cause: string;
  readonly remedy: string;
}

export function passed(step: string, durationMs: number | null, detail: string): CheckStep {
  return { step, ok: true, durationMs: rounded(durationMs), detail: clipped(detail), cause: null, remedy: null };
}

export function failed(step: string, durationMs: number | null, detail: string, advice: Advice): CheckStep {
  return { step, ok: false, durationMs: rounded(durationMs), detail: clipped(detail), ...advice };
}

/** It tells neither that it works nor that it does not. */
export function unclear(
  step: string,
  durationMs: number | null,
  detail: string,
  advice: Advice | { readonly cause: null; readonly remedy: null } = { cause: null, remedy: null },
): CheckStep {
  return { step, ok: null, durationMs: rounded(durationMs), detail: clipped(detail), ...advice };
}

/** To a tenth: that is what one look at a network is worth. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

function clipped(detail: string): string {
  const plain = plainText(detail, MAX_DETAIL_CHARS);
  return detail.length <= MAX_DETAIL_CHARS ? plain : `${plain}…`;
}
