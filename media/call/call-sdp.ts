/** Between the negotiated stream of `sdp/` and the remote side that `rtp/` sends to. */
import type { RtpRemote } from '../rtp/rtp-session';
import type { RemoteAudio } from '../sdp/audio-stream';
import type { Reach } from '../sdp/negotiation';
import { answerOffer } from '../sdp/offer-answer';
import type { SdpFault } from '../sdp/sdp-result';

/** RFC 863: a port that stands for "one of ours" while none is open yet. */
const DISCARD_PORT = 9;
/** The pseudonym in Warning headers. */
export const WARNING_AGENT = 'trunkline';

/** Why an offer cannot be answered, before a port is opened for it; null when it can. */
export function faultOfOffer(offer: string, reach: Reach): SdpFault | null {
  const result = answerOffer(offer, { ...reach, port: DISCARD_PORT, sessionId: '0', version: 0 });
  return result.ok ? null : result.fault;
}

/** `signallingAddress` null: not known, RTP is taken from the SDP's address only. */
export function rtpRemoteOf(remote: RemoteAudio, signallingAddress: string | null): RtpRemote {
  return { ...remote, signallingAddress: signallingAddress ?? remote.address };
}
