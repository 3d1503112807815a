/** How reading or answering SDP went. */
import type { RemoteAudio } from './audio-stream';

export type SdpFault =
  /** Cannot be read as SDP, or beyond the limits on its size. */
  | 'malformed'
  /** No audio stream that is not switched off. */
  | 'no_audio'
  /** Audio, but not over RTP in the clear. */
  | 'transport'
  /** No codec in common. */
  | 'codec'
  /** An address we cannot or must not send to. */
  | 'address'
  /** An answer that does not belong to our offer. */
  | 'mismatch';

export interface SdpRefusal {
  readonly ok: false;
  readonly fault: SdpFault;
  readonly detail: string;
}

export type AnswerResult = { readonly ok: true; readonly sdp: string; readonly remote: RemoteAudio } | SdpRefusal;

export type ReadAnswerResult = { readonly ok: true; readonly remote: RemoteAudio } | SdpRefusal;

export function refuse(fault: SdpFault, detail: string): SdpRefusal {
  return { ok: false, fault, detail };
}
