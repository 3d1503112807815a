import { briefingFor } from '../../../../../media/call/transfer/briefing';
import type { HandedOver } from '../../../../../media/call/transfer/handed-over';

const CALLER: HandedOver = { number: '+15557654321', name: null, withheld: false, calledNumber: '+15551234567' };

test.each([
  ['Sales', {}, 'Hello. This is Ada, with a call for Sales from 1 5 5, 5 7 6, 5 4 3, 2 1.'],
  [null, {}, 'Hello. This is Ada, with a call from 1 5 5, 5 7 6, 5 4 3, 2 1.'],
  [
    null,
    { name: 'Bob <b>O’Neil</b>; "x"' },
    'Hello. This is Ada, with a call from Bob b O Neil b x, 1 5 5, 5 7 6, 5 4 3, 2 1.',
  ],
  [null, { name: 'Bob', withheld: true }, 'Hello. This is Ada, with a call from somebody who does not show a number.'],
  [null, { number: 'reception' }, 'Hello. This is Ada, with a call from an unknown number.'],
] as const)('for %s, of %j', (name, more, text) => {
  expect(briefingFor({ name }, 'Ada', { ...CALLER, ...more })).toBe(text);
});

test('what somebody has written stands for itself', () => {
  expect(briefingFor({ name: 'Sales', briefing: 'Bob is angry.' }, 'Ada', CALLER)).toBe('Bob is angry.');
  expect(briefingFor({ name: null, briefing: null }, 'Ada', CALLER)).toMatch(/^Hello\. This is Ada/);
});
