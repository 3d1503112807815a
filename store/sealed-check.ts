/** What the check of a trunk asks and finds, on its way through a workflow's history: sealed, and bound to that check. */
import type { KeptRegistration } from '../contract/trunk-check';
import { rowAad } from './secrets';
import type { SecretBox } from './secrets';

export interface CheckIdentity {
  readonly checkId: string;
  readonly orgId: string;
}

/** The question of a check; of an inbound trunk `username` and `sipEndpoint`, of an outbound one the others. */
export interface SealedCheckRequest {
  readonly testNumber: string | null;
  /** Of a trunk that we register with. */
  readonly keptRegistration?: KeptRegistration;
  readonly username: string;
  readonly sipEndpoint: string;
}

export function sealCheck(secrets: Pick<SecretBox, 'seal'>, identity: CheckIdentity, content: object): string {
  return secrets.seal(JSON.stringify(content), aad(identity));
}

/** @throws SecretError when it was sealed for another check or with an unknown key */
export function openCheck<Content extends object>(
  secrets: Pick<SecretBox, 'open'>,
  identity: CheckIdentity,
  sealed: string,
): Content {
  return JSON.parse(secrets.open(sealed, aad(identity))) as Content;
}

const aad = ({ orgId, checkId }: CheckIdentity): string => rowAad(orgId, checkId);
