/** A contact of a campaign as a request makes it, read by the rules of an import, and what the answer has to say of it. */
import { isDeepStrictEqual } from 'node:util';
import { numberOf, readContact } from '../../store/campaigns/contact-row';
import type { ReadContact } from '../../store/campaigns/contact-row';
import { missingVariables } from '../../store/campaigns/text-variables';
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignContact } from '../../store/entities/campaign-contact';
import type { HeldContact } from '../../store/repositories/campaign-contact-repository';
import { impossible } from '../errors';
import type { ValidationIssue } from '../errors';
import type { CampaignContactPatchRequest } from '../schemas/campaign';
import { namedAsColumns } from './contact-import';

/** Codes of `changedContact`. */
export const CONTACT_ERRORS = ['phone_number_fixed', 'invalid_contact'] as const;

/**
 * @param needed see `neededVariables`: what of it the contact lacked before is no fault of this change
 * @throws ApiError 422, of what an import would refuse in its words
 */
export function changedContact(
  before: CampaignContact,
  request: CampaignContactPatchRequest,
  needed: readonly string[],
): ReadContact {
  const { phoneNumber } = before;
  if (request.phone_number !== undefined && numberOf(request.phone_number.trim()) !== phoneNumber) {
    throw impossible('phone_number_fixed', KEEPS_ITS_NUMBER);
  }
  const named = namedAsColumns(request.variables ?? {});
  if ('reason' in named) throw impossible('invalid_contact', named.reason);
  const variables = Object.entries({ ...before.variables, ...named.values }).filter(isGiven);
  const lacking = missingVariables(needed, before);
  const reading = readContact(
    {
      phoneNumber,
      name: textOf(request.name, before.name),
      timeZone: textOf(request.time_zone, before.timeZone),
      consentId: textOf(request.consent_id, before.consentId),
      priority: String(request.priority ?? before.priority),
      variables: Object.fromEntries(variables),
    },
    needed.filter((name) => !lacking.includes(name)),
  );
  if (!reading.ok) throw impossible('invalid_contact', reading.reason);
  return reading.contact;
}

const KEEPS_ITS_NUMBER =
  'A contact keeps its number. Import the right one as a further contact; the wrong one is not called without its consent_id, ' +
  'where the campaign requires one, or once it is on the do-not-call list (POST /phone/dnc)';

const textOf = (given: string | null | undefined, before: string | null): string =>
  (given === undefined ? before : given)?.trim() ?? '';

/** As in an import, an empty value is none. */
const isGiven = (entry: [string, string | null]): entry is [string, string] => entry[1] !== null && entry[1] !== '';

/** Names of what is no longer the same; what is said of somebody does not belong into a timeline. */
export function changedContactFields(before: CampaignContact, after: ReadContact): string[] {
  const fields = [
    ['name', before.name, after.name],
    ['time_zone', before.timeZone, after.timeZone],
    ['consent_id', before.consentId, after.consentId],
    ['priority', before.priority, after.priority],
    ['variables', before.variables, after.variables],
  ] as const;
  return fields.flatMap(([name, was, is]) => (isDeepStrictEqual(was, is) ? [] : name));
}

/** Whether a contact may be called, when, and what is said is not decided by its place among the others. */
export const decidesCalls = (fields: readonly string[]): boolean => fields.some((name) => name !== 'priority');

/** @param before a change of `fields` that has left it in the state in which it was */
export function contactWarnings(
  { status }: Pick<Campaign, 'status'>,
  before: HeldContact,
  fields: readonly string[],
): ValidationIssue[] {
  const warning = (message: string): ValidationIssue[] => [{ path: 'state', message: `Stored; ${message}` }];
  if (before.state === 'calling' && decidesCalls(fields)) {
    return warning('the call that is under way may still go by the former values');
  }
  if (before.state !== 'done' || fields.length === 0) return [];
  const { passedOver, lastDisposition, result } = before;
  const redialled = passedOver || (lastDisposition !== null && result !== 'opted_out' && result !== 'suppressed');
  const again = redialled && status !== 'canceled' ? ': `redial` calls it again' : '';
  return warning(`the contact is done, and nobody is dialled for it${again}`);
}
