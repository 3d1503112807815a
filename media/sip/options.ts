import { randomBytes } from 'node:crypto';

import { DigestClient } from './auth/digest-client';
import { sendAuthenticated } from './authenticated-request';
import { encodeUserPart, uriHost } from './message/uri';
import { serverUri } from './server-uri';

import type { AuthenticatedResult } from './authenticated-request';
import type { ResolvedTarget } from './edge/resolver';
import type { OutOfDialog, TargetOfTrunk } from './out-of-dialog';

export interface OptionsRequest {
  readonly target: ResolvedTarget;
  /** In the Request-URI, To and From: what the peer is known by. */
  readonly server: TargetOfTrunk;
  /** User part of From; may be empty. */
  readonly fromUser: string;
  /** Null: a challenge is an answer. */
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** For the final answer, over all repetitions of the request. */
  readonly timeoutMs: number;
  /** See `OutOfDialogRequest`. */
  readonly connectMs?: number;
  readonly watched?: boolean;
}

const CONTACT_USER = 'trunkline';

/** OPTIONS outside a dialog (RFC 3261 §11), to one address and no other. Never rejects. */
export function askOptions(outOfDialog: OutOfDialog, options: OptionsRequest): Promise<AuthenticatedResult> {
  const { target, server, fromUser, credentials, timeoutMs, connectMs, watched } = options;
  const requestUri = serverUri(server);
  const user = encodeUserPart(fromUser);
  const callId = randomBytes(16).toString('hex');
  const digest = credentials === null ? null : new DigestClient(credentials);
  let cseq = 0;
  return sendAuthenticated({ outOfDialog, target, digest }, (spentMs) => ({
    method: 'OPTIONS',
    requestUri,
    fromUri: `sip:${user === '' ? '' : `${user}@`}${uriHost(server.host)}`,
    toUri: requestUri,
    callId,
    cseq: ++cseq,
    headers: (ownAddress, transport) => [
      `Contact: ${ownAddress.contact(CONTACT_USER, transport)}`,
      'Accept: application/sdp',
    ],
    timeoutMs: Math.max(1, timeoutMs - spentMs),
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(watched === undefined ? {} : { watched }),
  }));
}
