import type { CallScript } from '../contract/commands';
import type { Routing } from '../contract/directory';
import { rowAad } from './secrets';
import type { SecretBox } from './secrets';

/** Everything of a call that must not stand in a workflow's history. */
export interface SealedCallDetails {
  readonly from: string;
  readonly to: string;
  /** Values of the caller's Privacy header; absent without any. */
  readonly privacy?: readonly string[];
  /** Of an inbound call; absent in those of former releases. */
  readonly routing?: Routing;
  readonly firstMessage: string | null;
  readonly metadata: Record<string, unknown>;
  /** Of a call that a campaign makes. */
  readonly script?: CallScript;
}

interface SealedCall {
  readonly callId: string;
  readonly orgId: string;
  readonly sealed: string;
}

/** What must not stand in a history travels as `sealed`, bound to its call. */
export function sealDetails(
  secrets: Pick<SecretBox, 'seal'>,
  call: Omit<SealedCall, 'sealed'>,
  details: SealedCallDetails,
): string {
  return secrets.seal(JSON.stringify(details), rowAad(call.orgId, call.callId));
}

/** @throws SecretError when it was sealed for another call or with an unknown key */
export function openDetails(secrets: SecretBox, call: SealedCall): SealedCallDetails {
  return JSON.parse(secrets.open(call.sealed, rowAad(call.orgId, call.callId))) as SealedCallDetails;
}
