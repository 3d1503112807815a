import { claimContact } from '../../../../store/campaigns/contact-claim';
import type { CheckedContact, ContactRules } from '../../../../store/campaigns/contact-check';
import { DiallingWindow } from '../../../../store/campaigns/dialling-window';
import { HOUR_MS, MINUTE_MS } from '../../../../store/campaigns/zone-clock';

/** A Monday, 10:00 in New York. */
const NOW = Date.UTC(2026, 0, 12, 15);
const RULES: ContactRules = {
  window: new DiallingWindow({
    days: ['mon', 'tue', 'wed', 'thu', 'fri'],
    start: '09:00',
    end: '17:00',
    holidays: [],
    defaultTimeZone: null,
    legal: 'default',
  }),
  defaultTimeZone: null,
  ringMs: 30_000,
  caps: { perNumberPerDay: 3, perNumberPerWeek: 7 },
  requireConsent: true,
  needed: ['plan'],
};
const CONTACT: CheckedContact = {
  phoneNumber: '+12125550000',
  name: null,
  timeZone: 'America/New_York',
  consentId: 'c',
  variables: { plan: 'gold' },
  suppressed: false,
  calling: false,
  dialledAt: [],
  destinationRefusal: null,
};
const claim = (fields: Partial<CheckedContact> = {}, rules: Partial<ContactRules> = {}, nowMs = NOW) =>
  claimContact({ ...CONTACT, ...fields }, { ...RULES, ...rules }, nowMs);

describe('a contact that is due', () => {
  test('and may be called, is', () => {
    expect(claim()).toEqual({ kind: 'call' });
  });

  test('outside its window it is due when that opens, and knows why', () => {
    expect(claim({ timeZone: 'America/Los_Angeles' })).toEqual({
      kind: 'later',
      dueAtMs: NOW + 2 * HOUR_MS,
      note: expect.objectContaining({ called: false, reason: 'outside_window', at: '2026-01-12T15:00:00.000Z' }),
    });
    // Friday evening: on Monday, which is a holiday of nobody here.
    const friday = Date.UTC(2026, 0, 16, 23);
    expect(claim({}, {}, friday)).toMatchObject({ kind: 'later', dueAtMs: Date.UTC(2026, 0, 19, 14) });
  });

  test('whose number had its calls of the day is due when another one is allowed, in the window', () => {
    const dialledAt = [1, 2, 3].map((hours) => new Date(NOW - hours * HOUR_MS));
    // The third of them leaves the day at eight, before the window opens.
    expect(claim({ dialledAt })).toMatchObject({
      kind: 'later',
      dueAtMs: NOW + 23 * HOUR_MS,
      note: { reason: 'cap_per_day' },
    });
  });

  test('whose number another campaign is calling comes again in a minute', () => {
    expect(claim({ calling: true })).toMatchObject({
      kind: 'later',
      dueAtMs: NOW + MINUTE_MS,
      note: { reason: 'called_now' },
    });
  });

  test.each<readonly [string, Partial<CheckedContact>]>([
    ['suppressed', { suppressed: true }],
    ['no_consent', { consentId: null }],
    ['missing_variable', { variables: {} }],
    ['destination_not_allowed', { destinationRefusal: 'not there' }],
    ['zone_unknown', { timeZone: null, phoneNumber: '+18005550000' }],
  ])('%s: no time changes that', (reason, fields) => {
    expect(claim({ ...fields, timeZone: fields.timeZone === undefined ? 'Asia/Tokyo' : null })).toMatchObject({
      kind: 'done',
      result: 'suppressed',
      note: { reason },
    });
  });

  test('that is never allowed is exhausted', () => {
    const never = new DiallingWindow({
      days: [],
      start: '09:00',
      end: '17:00',
      holidays: [],
      defaultTimeZone: null,
      legal: 'off',
    });
    expect(claim({}, { window: never })).toMatchObject({ kind: 'done', result: 'exhausted' });
    // What is only for today is not why.
    const dialledAt = [1, 2, 3].map((hours) => new Date(NOW - hours * HOUR_MS));
    expect(claim({ dialledAt, calling: true }, { window: never })).toMatchObject({
      note: { reason: 'outside_window' },
    });
    const caps = { perNumberPerDay: 0, perNumberPerWeek: 7 };
    expect(claim({}, { caps })).toMatchObject({ kind: 'done', result: 'exhausted', note: { reason: 'cap_per_day' } });
  });
});
