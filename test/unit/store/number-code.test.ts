import { isNumberCode, numberCode } from '../../../store/number-code';
import { newMasterKey, SecretBox } from '../../../store/secrets';

const secrets = new SecretBox(newMasterKey());
const round = { numberId: '01937f3e-8123-7d4e-a5f6-0718293a4b04', n: 1 };

test('a code has six digits, and is the same wherever it is computed with the key', () => {
  const codes = Array.from({ length: 500 }, (_, n) => numberCode(secrets, { ...round, n }));
  expect(codes.every((code) => /^\d{6}$/.test(code))).toBe(true);
  // Leading zeros are part of it.
  expect(codes.some((code) => code.startsWith('0'))).toBe(true);
  expect(numberCode(secrets, round)).toBe(codes[1]);
});

test('another round, another number and another server have other codes', () => {
  const others = [
    numberCode(secrets, { ...round, n: 2 }),
    numberCode(secrets, { ...round, numberId: round.numberId.replace('0', '1') }),
    numberCode(new SecretBox(newMasterKey()), round),
    numberCode(new SecretBox(newMasterKey()), round),
  ];
  expect(new Set([numberCode(secrets, round), ...others]).size).toBeGreaterThan(3);
});

test('is told from every other text, of whatever length', () => {
  const code = numberCode(secrets, round);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  expect([code, wrong, '', code.slice(1), `${code}0`].map((given) => isNumberCode(secrets, round, given))).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});
