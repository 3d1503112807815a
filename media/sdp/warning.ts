import type { SdpFault } from './sdp-result';
/** Warn codes of RFC 3261 §20.43. */
const WARNINGS: Readonly<Record<SdpFault, { readonly code: number; readonly text: string }>> = {
  malformed: { code: 399, text: 'Session description not understood' },
  no_audio: { code: 304, text: 'Media type not available' },
  transport: { code: 302, text: 'Incompatible transport protocol' },
  codec: { code: 305, text: 'Incompatible media format' },
  address: { code: 301, text: 'Incompatible network address formats' },
  mismatch: { code: 399, text: 'Answer does not match the offer' },
};

/** Value of the Warning header that goes with a 488. `agent`: host, or a pseudonym. */
export function warningHeader(fault: SdpFault, agent: string): string {
  const { code, text } = WARNINGS[fault];
  return `${code} ${agent} "${text}"`;
}
