import fc from 'fast-check';
import { readContact } from '../../../../store/campaigns/contact-row';
import type { GivenContact } from '../../../../store/campaigns/contact-row';

const GIVEN: GivenContact = {
  phoneNumber: '+1 (555) 123-4567',
  name: 'Ada',
  timeZone: 'Europe/Berlin',
  consentId: 'c',
  priority: '7',
  variables: { plan: 'gold' },
};

describe('a row of contacts', () => {
  test('becomes a contact', () => {
    expect(readContact(GIVEN, ['plan', 'name'])).toEqual({
      ok: true,
      contact: {
        phoneNumber: '+15551234567',
        name: 'Ada',
        timeZone: 'Europe/Berlin',
        consentId: 'c',
        priority: 7,
        variables: { plan: 'gold' },
      },
    });
    const bare = { ...GIVEN, name: '', timeZone: '', consentId: '', priority: '', variables: {} };
    expect(readContact(bare, [])).toMatchObject({
      contact: { name: null, timeZone: null, consentId: null, priority: 0 },
    });
  });

  test.each<readonly [string, Partial<GivenContact>]>([
    ['phone_number: empty', { phoneNumber: '' }],
    ['phone_number: an emergency number or a short code', { phoneNumber: '112' }],
    ['phone_number: an emergency number or a short code', { phoneNumber: '+1911' }],
    ['phone_number: not in E.164 format, such as +15551234567', { phoneNumber: '030 1234567' }],
    ['phone_number: too long', { phoneNumber: `+${'1'.repeat(50)}` }],
    ['name: longer than 255 characters', { name: 'x'.repeat(256) }],
    ['time_zone: no IANA time zone, such as Europe/Berlin', { timeZone: 'CEST maybe' }],
    ['priority: no whole number from -1000 to 1000', { priority: '1.5' }],
    ['priority: no whole number from -1000 to 1000', { priority: '1001' }],
    ['plan: longer than 2000 characters', { variables: { plan: 'x'.repeat(2001) } }],
    ['plan: contains U+0000', { variables: { plan: 'a\0' } }],
    ['name: not in UTF-8', { name: 'M\u{FFFD}ller' }],
    ['no value for {{plan}}', { variables: {} }],
  ])('is refused in words: %s', (reason, wrong) => {
    expect(readContact({ ...GIVEN, ...wrong }, ['plan'])).toEqual({ ok: false, reason });
  });

  test('of any texts is a contact or a reason, and a contact is a number in E.164', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '+15551234567', '5', 'UTC', '__proto__'));
    const given = fc.record({
      phoneNumber: text,
      name: text,
      timeZone: text,
      consentId: text,
      priority: text,
      variables: fc.dictionary(text, text),
    });
    fc.assert(
      fc.property(given, (row) => {
        const reading = readContact(row, []);
        if (reading.ok) expect(reading.contact.phoneNumber).toMatch(/^\+[1-9]\d{3,14}$/);
        else expect(reading.reason).not.toBe('');
      }),
    );
  });
});
