import { failed, passed, unclear } from '../../../../../media/call/trunk-check/check-step';

test('a step has its time to a tenth of a millisecond, and of long words the first', () => {
  expect(passed('dns', 12.3456, 'Found.')).toEqual({
    step: 'dns',
    ok: true,
    durationMs: 12.3,
    detail: 'Found.',
    cause: null,
    remedy: null,
  });
  const long = failed('options', null, 'x'.repeat(70_000), { cause: 'c', remedy: 'r' });
  expect([long.ok, long.durationMs, long.cause, long.detail.length]).toEqual([false, null, 'c', 1_001]);
  expect(unclear('options', 1, 'y').ok).toBeNull();
});

test("of a carrier's words that terminals would obey, the plain ones are told", () => {
  const { detail } = unclear('options', 1, '404 No\u0000t \u001b[31mFound\r\n\ud800.');
  expect(detail).toBe('404 No t  [31mFound .');
});
