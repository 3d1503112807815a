/** What becomes of a contact that is due: it is called now, later, or not any more. */
import type { CampaignContactResult } from '../../contract/campaigns';
import { checkContact } from './contact-check';
import type { CheckedContact, ContactObjection, ContactRefusal, ContactRules } from './contact-check';
import { DAY_MS, MINUTE_MS } from './zone-clock';

/** Why it was not called when it was last looked at; kept with the contact, for people. */
export interface ContactNote {
  readonly at: string;
  readonly called: false;
  readonly reason: string;
  readonly detail: string;
}

export type ContactClaim =
  | { readonly kind: 'call' }
  | { readonly kind: 'later'; readonly dueAtMs: number; readonly note: ContactNote }
  | { readonly kind: 'done'; readonly result: CampaignContactResult; readonly note: ContactNote };

/** As far as a window is looked for. */
const HORIZON_MS = 30 * DAY_MS;
/** Somebody else has a call with the number, which may be short. */
const CALLED_NOW_MS = MINUTE_MS;

/** No time changes these: somebody has to. */
const LASTING: ReadonlySet<ContactRefusal> = new Set([
  'suppressed',
  'no_consent',
  'missing_variable',
  'destination_not_allowed',
  'zone_unknown',
]);

export function claimContact(contact: CheckedContact, rules: ContactRules, nowMs: number): ContactClaim {
  const { refusals } = checkContact(contact, rules, nowMs, nowMs + 1);
  const [first] = refusals;
  if (first === undefined) return { kind: 'call' };
  const lasting = refusals.find(({ reason }) => LASTING.has(reason));
  if (lasting !== undefined) return { kind: 'done', result: 'suppressed', note: noteOf(lasting, refusals, nowMs) };
  const ahead = checkContact({ ...contact, calling: false }, rules, nowMs, nowMs + HORIZON_MS);
  const { earliestMs } = ahead;
  if (earliestMs === null) {
    // A cap of 0, or a window that never opens: what is only for now is not why.
    return { kind: 'done', result: 'exhausted', note: noteOf(ahead.refusals[0] ?? first, ahead.refusals, nowMs) };
  }
  const freeMs = contact.calling ? nowMs + CALLED_NOW_MS : nowMs;
  return { kind: 'later', dueAtMs: Math.max(earliestMs, freeMs), note: noteOf(first, refusals, nowMs) };
}

function noteOf({ reason }: ContactObjection, refusals: readonly ContactObjection[], nowMs: number): ContactNote {
  const detail = refusals.map((refusal) => refusal.detail).join('. ');
  return { at: new Date(nowMs).toISOString(), called: false, reason, detail };
}
