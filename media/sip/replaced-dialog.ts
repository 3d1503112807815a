import { parseReplaces } from './refer/replaces';

import type { InboundDialog, OutboundDialog } from './dialog';
import type { DialogTable } from './dialog-table';
import type { SipIdentity } from './auth/identity';
import type { SipRequest } from './message/message';
import type { Refusal } from './message/validation';

/** Whose call a dialog belongs to; null: nobody's, so that nobody can take it over. */
interface Owned {
  readonly orgId: string | null;
}

/** One that is there; `called`: it has no answer yet, and the INVITE was ours; `calling`: it was the peer's. */
interface PresentDialog<State extends 'called' | 'calling' | 'confirmed'> extends Owned {
  readonly dialog: InboundDialog | OutboundDialog;
  readonly state: State;
}

/** What a dialog is to an INVITE that is to take its place. */
export type ReplaceableDialog =
  PresentDialog<'called' | 'calling' | 'confirmed'> | (Owned & { readonly state: 'over' });

/** The dialog that an INVITE is to take the place of. */
export type ReplacedDialog = PresentDialog<'called' | 'confirmed'>;

const UNKNOWN: Refusal = { status: 481 };

/**
 * The rules of RFC 3891 §3, for an authenticated INVITE that opens a dialog: null when it replaces nothing, else the
 * dialog or the refusal that is owed. Calls of others are told from those that do not exist by nothing.
 */
export function findReplaced(
  request: SipRequest,
  { orgId }: SipIdentity,
  dialogs: DialogTable,
): ReplacedDialog | Refusal | null {
  const [value, ...more] = request.lines('replaces');
  if (value === undefined) return null;
  if (more.length > 0) return { status: 400, reason: 'Multiple Replaces Header Fields' };
  // RFC 3911 §5: it cannot take a dialog's place and join it.
  if (request.headers.has('join')) return { status: 400, reason: 'Replaces And Join' };
  const replaces = parseReplaces(value);
  if (replaces === null) return { status: 400, reason: 'Malformed Replaces' };
  const found = dialogs.byTag(replaces.sipCallId, replaces.toTag)?.asReplaced?.(replaces.fromTag) ?? null;
  if (found === null || found.orgId !== orgId) return UNKNOWN;
  switch (found.state) {
    case 'confirmed':
      return replaces.earlyOnly ? { status: 486 } : { ...found, state: 'confirmed' };
    case 'called':
      return { ...found, state: 'called' };
    case 'calling':
      return UNKNOWN;
    case 'over':
      return { status: 603 };
  }
}
