/** Between the negotiated stream of `sdp/` and the remote side that `rtp/` sends to. */
import type { RtpRemote } from '../rtp/rtp-session';
import type { RemoteAudio } from '../sdp/audio-stream';
import { chooseAudio } from '../sdp/negotiation';
import type { Reach } from '../sdp/negotiation';
import type { SdpFault } from '../sdp/sdp-result';
import type { ReadDescription } from '../sdp/session-description';

/** The pseudonym in Warning headers. */
export const WARNING_AGENT = 'trunkline';

/** Why an offer cannot be answered, before a port is opened for it; null when it can. */
export function faultOfOffer(offer: ReadDescription, reach: Reach): SdpFault | null {
  const usable = offer.ok ? chooseAudio(offer.description.media, reach) : offer;
  return usable.ok ? null : usable.fault;
}

/** `signallingAddress` null: not known, RTP is taken from the SDP's address only. */
export function rtpRemoteOf(remote: RemoteAudio, signallingAddress: string | null): RtpRemote {
  return { ...remote, signallingAddress: signallingAddress ?? remote.address };
}
