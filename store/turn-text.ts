/**
 * What was said and pressed in a call, sealed in its row like the other texts of a call: a digit may be one of a PIN.
 */
import { rowAad, SecretError } from './secrets';
import type { SecretBox } from './secrets';

interface TurnOwner {
  readonly orgId: string;
  readonly callId: string;
}

const SEALED = /^v1\.[0-9a-f]{8}\.[\w-]{38,}$/;
/** Shown in its place when it was sealed with a key that this server does not have. */
const UNREADABLE = '[sealed with another SECRETS_KEY]';

export function sealTurnText(secrets: Pick<SecretBox, 'seal'>, { orgId, callId }: TurnOwner, text: string): string {
  return secrets.seal(text, rowAad(orgId, callId));
}

/** Never throws: one turn that cannot be read does not hide the others. Rows of the first migration hold plain text. */
export function openTurnText(secrets: Pick<SecretBox, 'open'>, { orgId, callId }: TurnOwner, text: string): string {
  if (!SEALED.test(text)) return text;
  try {
    return secrets.open(text, rowAad(orgId, callId));
  } catch (error) {
    if (error instanceof SecretError) return UNREADABLE;
    throw error;
  }
}
