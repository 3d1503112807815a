import { checkContact } from '../../../../store/campaigns/contact-check';
import type { CheckedContact, ContactRules } from '../../../../store/campaigns/contact-check';
import { DiallingWindow } from '../../../../store/campaigns/dialling-window';

/** A Monday, 10:00 in Berlin. */
const NOW = Date.UTC(2026, 0, 12, 9);
const HOUR = 3_600_000;
const RULES: ContactRules = {
  window: new DiallingWindow({
    days: ['mon', 'tue'],
    start: '09:00',
    end: '11:00',
    holidays: [],
    defaultTimeZone: null,
    legal: 'default',
  }),
  defaultTimeZone: null,
  ringMs: 45_000,
  caps: { perNumberPerDay: 2, perNumberPerWeek: 3 },
  requireConsent: true,
  needed: ['name'],
};
const CONTACT: CheckedContact = {
  phoneNumber: '+493012345678',
  name: 'Ada',
  timeZone: null,
  consentId: 'c',
  variables: {},
  suppressed: false,
  calling: false,
  dialledAt: [],
  destinationRefusal: null,
};
const reasonsOf = (contact: Partial<CheckedContact>, rules: Partial<ContactRules> = {}, fromMs = NOW): unknown =>
  checkContact({ ...CONTACT, ...contact }, { ...RULES, ...rules }, fromMs, fromMs + HOUR).refusals.map(
    ({ reason }) => reason,
  );

describe('whether a contact may be called', () => {
  test('now, in the zone that its number tells', () => {
    expect(checkContact(CONTACT, RULES, NOW, NOW + HOUR)).toEqual({
      refusals: [],
      earliestMs: NOW,
      zones: ['Europe/Berlin'],
      place: { zones: ['Europe/Berlin'], region: null },
    });
  });

  test('later in the period, when the window opens', () => {
    const early = NOW - 90 * 60_000;
    expect(checkContact(CONTACT, RULES, early, early + HOUR)).toMatchObject({
      refusals: [],
      earliestMs: early + HOUR / 2,
    });
  });

  test.each<readonly [string, Partial<CheckedContact>, Partial<ContactRules>]>([
    ['suppressed', { suppressed: true }, {}],
    ['no_consent', { consentId: null }, {}],
    ['missing_variable', { name: null }, {}],
    ['destination_not_allowed', { destinationRefusal: 'No' }, {}],
    ['called_now', { calling: true }, {}],
    ['outside_window', { timeZone: 'America/New_York' }, {}],
    ['zone_unknown', { phoneNumber: '+18005551234' }, {}],
    ['cap_per_day', { dialledAt: [new Date(NOW - HOUR), new Date(NOW - 2 * HOUR)] }, {}],
  ])('not: %s', (reason, contact, rules) => {
    expect(reasonsOf(contact, rules)).toEqual([reason]);
    expect(checkContact({ ...CONTACT, ...contact }, RULES, NOW, NOW + HOUR).earliestMs).toBeNull();
  });

  test('without consent where none is asked for', () => {
    expect(reasonsOf({ consentId: null }, { requireConsent: false })).toEqual([]);
  });

  test('all that speaks against it is told', () => {
    const dialledAt = [1, 2, 3].map((n) => new Date(NOW - n * HOUR));
    expect(reasonsOf({ suppressed: true, consentId: null, dialledAt }, {}, NOW + 3 * HOUR)).toEqual([
      'suppressed',
      'no_consent',
      'cap_per_day',
      'cap_per_week',
      'outside_window',
    ]);
  });
});
