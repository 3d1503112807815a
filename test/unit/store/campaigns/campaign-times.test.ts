import { campaignTimes, isDue } from '../../../../store/campaigns/campaign-times';

const NOW = Date.parse('2027-01-04T12:00:00.000Z');
const LATER = new Date(NOW + 3_600_100);
const recurrence = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin', dispositions: null };
const campaign = {
  status: 'scheduled',
  deletedAt: null,
  startsAt: LATER,
  endsAt: null,
  recurrence: null,
} as const;

test('a start to come is a whole second, never before the time itself', () => {
  const { startAtMs, paused } = campaignTimes(campaign, NOW);
  expect([startAtMs, paused]).toEqual([NOW + 3_601_000, false]);
});

test.each([
  ['it runs', { ...campaign, status: 'running' }],
  ['it waits for its next round', { ...campaign, startsAt: null, recurrence }],
  ['the time is past', { ...campaign, startsAt: new Date(NOW - 1_000) }],
  ['it is a draft', { ...campaign, status: 'draft' }],
  ['it was canceled', { ...campaign, status: 'canceled' }],
  ['it was deleted', { ...campaign, deletedAt: new Date(NOW) }],
] as const)('nothing is to start when %s', (_, given) => {
  expect(campaignTimes(given, NOW).startAtMs).toBeNull();
});

test('it recurs between its start and its end, as long as it is neither over nor paused', () => {
  const endsAt = new Date(NOW + 86_400_000);
  const recurring = { ...campaign, recurrence, endsAt };
  const wanted = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin' };
  for (const status of ['scheduled', 'running'] as const) {
    expect(campaignTimes({ ...recurring, status }, NOW)).toMatchObject({
      recurrence: wanted,
      fromMs: NOW + 3_601_000,
      untilMs: endsAt.getTime(),
      paused: false,
    });
  }
  expect(campaignTimes({ ...recurring, status: 'paused' }, NOW)).toMatchObject({ recurrence: wanted, paused: true });
  for (const status of ['draft', 'completed', 'canceled'] as const) {
    expect(campaignTimes({ ...recurring, status }, NOW).recurrence).toBeNull();
  }
});

const [PAST, EARLIER] = [new Date(NOW - 1_000), new Date(NOW - 60_000)];
test.each([
  ['was not run is due', null, true],
  ['has run before that is due', EARLIER, true],
  ['has run since waits for its next round', PAST, false],
] as const)('a recurring one that %s, when its starts_at has come', (_, runningSince, due) => {
  const scheduled = { ...campaign, recurrence, runningSince };
  expect(isDue({ ...scheduled, startsAt: PAST }, NOW)).toBe(due);
  expect(isDue({ ...scheduled, startsAt: LATER }, NOW)).toBe(false);
});

test.each([
  ['that has none is due', { startsAt: null }, true],
  ['that is paused is not due', { status: 'paused' }, false],
  ['that runs is not due', { status: 'running' }, false],
  ['that was deleted is not due', { deletedAt: new Date(NOW) }, false],
] as const)('one %s, when its starts_at has come', (_, fields, due) => {
  expect(isDue({ ...campaign, startsAt: PAST, runningSince: EARLIER, ...fields }, NOW)).toBe(due);
});
