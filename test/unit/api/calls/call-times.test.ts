import { callTimes } from '../../../../api/calls/call-times';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const HOUR_MS = 3_600_000;

test('without times a call is dialled at once, and expected for an hour', () => {
  expect(callTimes({}, NOW)).toEqual({ scheduledAtMs: null, expiresAtMs: NOW + HOUR_MS });
});

test('a time that is past is at once; a later one is kept, and the hour begins there', () => {
  expect(callTimes({ scheduled_at: '2026-11-24T09:00:00Z' }, NOW)).toEqual({
    scheduledAtMs: null,
    expiresAtMs: NOW + HOUR_MS,
  });
  const at = Date.parse('2026-11-25T09:00:00Z');
  expect(callTimes({ scheduled_at: '2026-11-25T10:00:00+01:00' }, NOW)).toEqual({
    scheduledAtMs: at,
    expiresAtMs: at + HOUR_MS,
  });
});

test.each([
  [{ scheduled_at: '2027-02-22T10:00:01Z' }, 'scheduled_too_far'],
  [{ scheduled_at: '2026-11-25T10:00:00Z', expires_at: '2026-11-25T10:00:00Z' }, 'expires_too_early'],
  [{ expires_at: '2026-11-24T09:59:59Z' }, 'expires_too_early'],
])('%j is refused: %s', (given, code) => {
  expect(() => callTimes(given, NOW)).toThrow(expect.objectContaining({ code }));
});

test('90 days ahead is not too far', () => {
  expect(callTimes({ scheduled_at: '2027-02-22T10:00:00Z' }, NOW).scheduledAtMs).toBe(NOW + 90 * 24 * HOUR_MS);
});
