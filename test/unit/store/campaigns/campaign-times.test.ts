import { campaignTimes } from '../../../../store/campaigns/campaign-times';

const NOW = Date.parse('2027-01-04T12:00:00.000Z');
const LATER = new Date(NOW + 3_600_100);
const recurrence = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin', dispositions: null };
const campaign = {
  status: 'scheduled',
  deletedAt: null,
  startsAt: LATER,
  endsAt: null,
  runningSince: null,
  recurrence: null,
} as const;

test('a start to come is a whole second, never before the time itself', () => {
  const { startAtMs, paused } = campaignTimes(campaign, NOW);
  expect([startAtMs, paused]).toEqual([NOW + 3_601_000, false]);
});

test.each([
  ['it was started', { ...campaign, status: 'running', runningSince: new Date(NOW) }],
  ['it waits for its next round', { ...campaign, runningSince: new Date(NOW) }],
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
