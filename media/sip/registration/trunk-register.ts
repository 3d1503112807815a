import { encodeUserPart, uriHost } from '../message/uri';
import { serverUri } from '../server-uri';

import type { OutboundTrunkProfile } from '../../../contract/directory';
import type { UnsignedRequest } from '../authenticated-request';

type Varying = Pick<UnsignedRequest, 'callId' | 'cseq' | 'headers' | 'timeoutMs'>;

/** REGISTER for the address-of-record that a trunk's user has at its carrier (RFC 3261 §10.2). */
export function trunkRegister(trunk: OutboundTrunkProfile, varying: Varying): UnsignedRequest {
  const addressOfRecord = `sip:${encodeUserPart(trunk.username)}@${uriHost(trunk.host)}`;
  return {
    method: 'REGISTER',
    requestUri: serverUri(trunk),
    fromUri: addressOfRecord,
    toUri: addressOfRecord,
    ...varying,
  };
}
