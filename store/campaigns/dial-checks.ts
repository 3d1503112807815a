/** What was checked of a contact before its INVITE, in the words in which it is kept as evidence. */
import type { AppliedLaw, StoredCheck } from '../entities/contact-decision';
import { CONTACT_REFUSALS } from './contact-check';
import type { CheckedContact, ContactCheck, ContactRefusal, ContactRules } from './contact-check';
import { legalHoursOf, legalSourceOf } from './legal-hours';

/** Each check, passed or not, in one order. */
export function dialChecks(
  contact: CheckedContact,
  { refusals, place }: Pick<ContactCheck, 'refusals' | 'place'>,
  rules: ContactRules,
  atMs: number,
): StoredCheck[] {
  return CONTACT_REFUSALS.map((check) => {
    const refusal = refusals.find(({ reason }) => reason === check);
    const law = check === 'outside_window' && place !== null ? { law: lawOf(place, rules) } : {};
    if (refusal !== undefined) return { check, passed: false, detail: refusal.detail, ...law };
    return { check, passed: true, detail: passed(check, contact, place, rules, atMs), ...law };
  });
}

/** Settings and the table of rules may be others when somebody asks for it. */
function lawOf({ region }: NonNullable<ContactCheck['place']>, { window }: ContactRules): AppliedLaw | null {
  if (!window.keepsLaw) return null;
  const hours = legalHoursOf(region);
  const { source, certainty, checked } = legalSourceOf(hours);
  return { rule: hours.rule, source, certainty, checked };
}

function passed(
  check: ContactRefusal,
  contact: CheckedContact,
  place: ContactCheck['place'],
  rules: ContactRules,
  atMs: number,
): string {
  switch (check) {
    case 'suppressed':
      return 'The number is on no do-not-call list';
    case 'no_consent':
      return contact.consentId === null ? 'No consent is required' : `Consent ${contact.consentId}`;
    case 'missing_variable':
      return rules.needed.length === 0 ? 'The texts need none' : `All there: ${rules.needed.join(', ')}`;
    case 'destination_not_allowed':
      return 'The number may be called';
    case 'zone_unknown':
      return place === null ? '' : place.zones.join(', ');
    case 'outside_window':
      return place === null ? '' : openText(place, rules, atMs);
    case 'cap_per_day':
    case 'cap_per_week':
      return capText(check, contact, rules);
    case 'called_now':
      return 'No call with the number is under way';
  }
}

function openText(place: NonNullable<ContactCheck['place']>, { window, ringMs }: ContactRules, atMs: number): string {
  const { zones } = window.decide(place, atMs, ringMs);
  return zones.map(({ zone, localTime, legalRule }) => `${zone}: ${localTime}, legal hours ${legalRule}`).join('; ');
}

function capText(check: ContactRefusal, { dialledAt }: CheckedContact, { caps }: ContactRules): string {
  const [cap, period] = check === 'cap_per_day' ? [caps.perNumberPerDay, 'day'] : [caps.perNumberPerWeek, 'week'];
  return `At most ${cap} a ${period}; ${dialledAt.length} within a week`;
}
