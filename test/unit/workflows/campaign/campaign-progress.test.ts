import { CampaignProgress } from '../../../../workflows/campaign/campaign-progress';
import type { CampaignSettlement, TurnReport } from '../../../../workflows/campaign/activities';

const NOW = 1_000_000;
const settlement: CampaignSettlement = {
  status: 'running',
  endsAtMs: null,
  open: 10,
  again: false,
  schedules: '',
  guarded: false,
};
const report: TurnReport = { status: 'running', started: 2, calling: 2, open: 10, wakeInMs: 800 };

function settled(changes: Partial<CampaignSettlement> = {}): CampaignProgress {
  const progress = new CampaignProgress();
  progress.settled(progress.settling(), { ...settlement, ...changes });
  return progress;
}

test('a new one looks before it does anything else', () => {
  const progress = new CampaignProgress();
  expect([progress.unsettled, progress.over, progress.turnInMs(NOW)]).toEqual([true, false, null]);
});

test('a word that comes during a look needs another look', () => {
  const progress = new CampaignProgress();
  const word = progress.settling();
  const later = progress.told();
  progress.settled(word, settlement);
  expect([progress.isSettled(word), progress.isSettled(later), progress.untold]).toEqual([true, false, true]);
});

test('what is left of a look is done without a further word', () => {
  const progress = settled({ status: 'canceled', again: true });
  expect([progress.untold, progress.unsettled, progress.over]).toEqual([false, true, false]);
});

test('a turn is taken at once, then when there is something to do, or when something has moved', () => {
  const progress = settled();
  expect(progress.turnInMs(NOW)).toBe(0);
  progress.turning();
  progress.turned(report, NOW);
  expect(progress.turnInMs(NOW)).toBe(800);
  progress.moved();
  expect(progress.turnInMs(NOW)).toBe(0);
  progress.turning();
  progress.moved();
  progress.turned(report, NOW);
  expect(progress.turnInMs(NOW)).toBe(0);
});

test('with nothing to wait for but a word it still looks after a while', () => {
  const progress = settled();
  progress.turning();
  progress.turned({ ...report, wakeInMs: null }, NOW);
  expect(progress.turnInMs(NOW)).toBe(15_000);
  progress.turned({ ...report, calling: 0, wakeInMs: null }, NOW);
  expect(progress.turnInMs(NOW)).toBe(300_000);
});

test.each(['paused', 'scheduled', 'canceled', 'completed'] as const)('there is no turn while it is %s', (status) => {
  const progress = settled({ status });
  progress.moved();
  expect(progress.turnInMs(NOW)).toBeNull();
});

test.each([
  ['finds the row in another state', { ...report, status: 'paused' }],
  ['finds nobody left', { ...report, open: 0, calling: 0 }],
] as const)('a turn that %s has it look', (_, found) => {
  const progress = settled();
  progress.turned(found, NOW);
  expect(progress.unsettled).toBe(true);
});

test('it is over when it was completed or deleted, and a canceled one when its last call has ended', () => {
  expect(settled({ status: 'completed' }).over).toBe(true);
  expect(settled({ status: 'deleted' }).over).toBe(true);
  expect(settled({ status: 'paused' }).over).toBe(false);
  const progress = settled({ status: 'canceled', open: 1 });
  expect(progress.over).toBe(false);
  progress.moved();
  expect(progress.unsettled).toBe(true);
  progress.settled(progress.settling(), { ...settlement, status: 'canceled', open: 0 });
  expect(progress.over).toBe(true);
});

test('a turn that was under way when it was canceled keeps it from nothing', () => {
  const progress = settled();
  progress.turning();
  progress.told();
  progress.settled(progress.settling(), { ...settlement, status: 'canceled', open: 0 });
  progress.turned({ ...report, status: 'canceled', open: 0, calling: 0 }, NOW);
  expect(progress.over).toBe(true);
});

test('it looks when its end comes, and until its last calls are over', () => {
  expect(settled().lookInMs(NOW)).toBeNull();
  const ending = settled({ status: 'paused', endsAtMs: NOW + 5_000 });
  expect(ending.lookInMs(NOW)).toBe(5_000);
  expect(ending.lookInMs(NOW + 5_000)).toBe(30_000);
});

test('another run goes on where this one was', () => {
  const progress = settled();
  progress.turning();
  progress.turned(report, NOW);
  const { resumption } = progress;
  if (resumption === null) throw new Error('it has looked');
  const next = new CampaignProgress(resumption);
  expect([next.unsettled, next.turnInMs(NOW), next.standing.started]).toEqual([false, 800, 2]);
  progress.moved();
  expect(new CampaignProgress(progress.resumption ?? undefined).turnInMs(NOW)).toBe(0);
});

test('its guards look every ten seconds at most, of a campaign that runs and has limits', () => {
  expect(settled().takeGuards(NOW)).toBe(false);
  expect(settled({ guarded: true, status: 'paused' }).takeGuards(NOW)).toBe(false);
  const progress = settled({ guarded: true });
  expect([NOW, NOW + 9_999, NOW + 10_000].map((nowMs) => progress.takeGuards(nowMs))).toEqual([true, false, true]);
});

test('a turn that has changed the row has it looked at', () => {
  const progress = settled();
  progress.turning();
  progress.turned(report, NOW);
  expect(progress.untold).toBe(false);
  progress.turned({ ...report, changed: true }, NOW);
  expect(progress.untold).toBe(true);
});
