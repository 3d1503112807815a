import { refuseReferredUser } from '../../../../store/routing/referred-user';

describe('whom a phone system may refer us to within itself', () => {
  it.each(['200', '1001', 'sales', 'queue-7', '+15557654321', '15557654321', '5551234', '030123456', '+49.30/123456'])(
    'may be %s',
    (user) => expect(refuseReferredUser(user)).toBeNull(),
  );

  it.each([
    '911',
    '112',
    '9911',
    '0112',
    '999',
    '+911',
    '+1911',
    '+49 112',
    '0049112',
    '9-1-1',
    '911;phone-context=+1',
  ])('is not %s: an emergency number', (user) => expect(refuseReferredUser(user)).toBe('emergency_number'));

  it.each(['+19005550100', '19005550100', '0019005550100', '01144871234567', '+8821612345678'])(
    'is not %s: it costs more than a call',
    (user) => expect(refuseReferredUser(user)).toBe('destination_not_allowed'),
  );

  it.each(['', ' ', '\u0000', 'a'.repeat(200)])('is not %j', (user) => {
    expect(refuseReferredUser(user)).toBe('not_a_target');
  });
});
