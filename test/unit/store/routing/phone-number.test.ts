import fc from 'fast-check';

import { isExpensive, parsePhoneNumber } from '../../../../store/routing/phone-number';

describe('parsePhoneNumber', () => {
  it.each([
    ['+15551234567', '+15551234567'],
    [' +1 (555) 123-4567 ', '+15551234567'],
    ['+44 20 7946 0000', '+442079460000'],
    ['+49.30/123456', '+4930123456'],
    ['+8821612345678', '+8821612345678'],
  ])('reads %s as %s', (text, e164) => {
    expect(parsePhoneNumber(text)).toEqual({ ok: true, e164 });
  });

  it.each(['911', '112', '+911', '+1911', '+44999', '+49 112', '000', '116117', '12345'])(
    'takes %s for an emergency number or short code',
    (text) => {
      expect(parsePhoneNumber(text)).toEqual({ ok: false, reason: 'emergency' });
    },
  );

  it.each([
    '',
    '   ',
    '+',
    'abc',
    '5551234567',
    '+1555123456789012',
    '+1555',
    'sip:+15551234567@x',
    '+0001234567',
    '١٢٣٤٥٦٧',
  ])('refuses %p', (text) => {
    expect(parsePhoneNumber(text).ok).toBe(false);
  });

  it('throws on nothing, and what it accepts is E.164 and accepted again unchanged', () => {
    const texts = fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^\+?[0-9 ()-]{0,20}$/));
    fc.assert(
      fc.property(texts, (text) => {
        const result = parsePhoneNumber(text);
        if (!result.ok) return;
        expect(result.e164).toMatch(/^\+[1-9]\d{5,14}$/);
        expect(parsePhoneNumber(result.e164)).toEqual(result);
      }),
    );
  });
});

describe('isExpensive', () => {
  it.each(['+19005551234', '+8821612345678', '+870773111632', '+881612345678', '+448719000000'])(
    'is true of %s',
    (number) => {
      expect(isExpensive(number)).toBe(true);
    },
  );

  it.each([
    '+19001234567',
    '+15559761234',
    '+4490012345',
    '+449012345678',
    '+49137123456',
    '+33899123456',
    '+34905123456',
  ])('is true of %s, which is in no plan and dialled nevertheless', (number) => {
    expect(isExpensive(number)).toBe(true);
  });

  it.each(['+15551234567', '+442079460000', '+4915112345678', '+19762345678', '+4989123456'])(
    'is false of %s',
    (number) => {
      expect(isExpensive(number)).toBe(false);
    },
  );
});
