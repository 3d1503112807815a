import { randomBytes } from 'node:crypto';

import { DigestClient } from '../auth/digest-client';
import { sendAuthenticated } from '../authenticated-request';
import { parseAddress } from '../message/address';
import { trunkRegister } from './trunk-register';

import type { OutboundTrunkProfile } from '../../../contract/directory';
import type { AuthenticatedResult } from '../authenticated-request';
import type { ResolvedTarget } from '../edge/resolver';
import type { OutOfDialog } from '../out-of-dialog';

export type RegistrationQueryResult = AuthenticatedResult & {
  /** How many contacts of the trunk's user the carrier knows; 0 where it names none. */
  readonly contacts: number;
};

/**
 * Asks a carrier for what is registered: a REGISTER without Contact, with our credentials, which leaves all bindings as
 * they are (RFC 3261 §10.2.3). So any node may ask, whoever keeps the registration. Never rejects.
 */
export async function queryRegistration(
  outOfDialog: OutOfDialog,
  {
    trunk,
    target,
    timeoutMs,
  }: {
    readonly trunk: OutboundTrunkProfile;
    readonly target: ResolvedTarget;
    /** Over all repetitions of the request. */
    readonly timeoutMs: number;
  },
): Promise<RegistrationQueryResult> {
  const callId = randomBytes(16).toString('hex');
  let cseq = 0;
  const result = await sendAuthenticated({ outOfDialog, target, digest: new DigestClient(trunk) }, (spentMs) =>
    trunkRegister(trunk, { callId, cseq: ++cseq, headers: () => [], timeoutMs: Math.max(1, timeoutMs - spentMs) }),
  );
  const listed = result.kind === 'answered' ? result.response.list('contact') : [];
  return { ...result, contacts: listed.filter((value) => parseAddress(value) !== null).length };
}
