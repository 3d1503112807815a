import { callerNumberOf } from '../../../../store/campaigns/caller-number';

const trunk = {
  callerNumber: '+12025550100',
  callerNumbers: ['+12025550101', '+12125550102', '+14155550103', '+442079460104'],
};
const all = trunk.callerNumbers;
const number = (to: string, { call = 1, contactId = 'c', callerNumbers = all, localPresence = false } = {}): string =>
  callerNumberOf({ callerNumbers, localPresence, trunk, to, contactId, call });

describe('as whom a campaign calls', () => {
  test('as the trunk says where it names no numbers, or none that the trunk owns', () => {
    expect(number('+12125550000', { callerNumbers: [] })).toBe('+12025550100');
    expect(number('+12125550000', { callerNumbers: ['+15559999999'] })).toBe('+12025550100');
  });

  test('each further call to a contact comes from the next number, and the same call from the same', () => {
    const seen = [1, 2, 3, 4].map((call) => number('+12125550000', { call }));
    expect(seen.toSorted()).toEqual(all.toSorted());
    expect(number('+12125550000', { call: 5 })).toBe(seen[0]);
  });

  test('contacts begin at different numbers, so that each is used about as often', () => {
    const used = new Map<string, number>();
    for (let n = 0; n < 4_000; n++) {
      const from = number('+12125550000', { contactId: `contact ${n}` });
      used.set(from, (used.get(from) ?? 0) + 1);
    }
    for (const from of all) expect(Math.abs((used.get(from) ?? 0) - 1_000)).toBeLessThan(150);
  });

  test.each([
    ['of the same area code', '+12125559999', ['+12125550102']],
    ['else of the same state', '+15105559999', ['+14155550103']],
    ['else of the same country', '+442071838750', ['+442079460104']],
    ['else of the same country, which has several', '+13055559999', ['+12025550101', '+12125550102', '+14155550103']],
    ['else any', '+493012345678', all],
  ])('local presence: one %s', (_, to, expected) => {
    const seen = new Set(Array.from({ length: 40 }, (__, n) => number(to, { call: n + 1, localPresence: true })));
    expect([...seen].toSorted()).toEqual(expected.toSorted());
  });
});
