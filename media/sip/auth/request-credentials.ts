import type { DigestRequest } from './digest-client';
import type { SipResponse } from '../message/message';

/** Our credentials, as the requests of one dialog see them. */
export interface RequestCredentials {
  /** Complete header lines for a request that is about to be written; empty while nobody has challenged us. */
  authorize(request: DigestRequest): readonly string[];
  /** Judges the challenges of one request: true when it is to be sent once more. */
  newRequest(): (challenge: SipResponse) => boolean;
  /** Only the trunk's own addresses may see them. */
  mayGoTo(address: string): boolean;
}
