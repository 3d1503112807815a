import fc from 'fast-check';

import { calledUser, callerUser } from '../../../../media/call/number-format';

const US = '+12025550100';
const LONDON = '+442079460958';
const BERLIN = '+493012345678';

describe('the form of a number in an INVITE', () => {
  it.each([
    ['e164', US, US, '+12025550100', '+12025550100'],
    ['e164_no_plus', US, US, '12025550100', '12025550100'],
    ['prefix', US, US, '9912025550100', '12025550100'],
    ['national', US, US, '2025550100', '2025550100'],
    ['national', LONDON, LONDON, '02079460958', '02079460958'],
    ['national', BERLIN, BERLIN, '03012345678', '03012345678'],
    // Nobody's in any plan: as it would be dialled all the same.
    ['national', '+15551234567', US, '5551234567', '5551234567'],
    ['national', '+14165550123', US, '4165550123', '4165550123'],
    ['national', LONDON, US, '011442079460958', LONDON],
    ['national', US, LONDON, '0012025550100', US],
    ['national', US, BERLIN, '0012025550100', US],
  ] as const)(
    '%s of %s on a trunk of %s: called %s, calling %s',
    (numberFormat, number, callerNumber, called, calling) => {
      const trunk = { numberFormat, numberPrefix: '99', callerNumber };
      expect([calledUser(number, trunk), callerUser(number, trunk)]).toEqual([called, calling]);
    },
  );

  it('is E.164 where the trunk says nothing', () => {
    expect([calledUser(US, { callerNumber: US }), callerUser(US, { callerNumber: US })]).toEqual([US, US]);
  });

  it('is one that can be dialled, whatever the country', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{7,14}$/);
    fc.assert(
      fc.property(digits, digits, (to, from) => {
        for (const numberFormat of ['e164', 'e164_no_plus', 'national', 'prefix'] as const) {
          const trunk = { numberFormat, numberPrefix: '0#', callerNumber: `+${from}` };
          expect(calledUser(`+${to}`, trunk)).toMatch(/^(\+|0#)?[0-9]+$/);
          expect(callerUser(`+${from}`, trunk)).toMatch(/^\+?[0-9]+$/);
        }
      }),
    );
  });
});
