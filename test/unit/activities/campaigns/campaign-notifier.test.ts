import { CampaignNotifier } from '../../../../activities/campaigns/campaign-notifier';
import { createLogger } from '../../../../ops/logger';

const logger = createLogger({ name: 'test', level: 'silent' });
let told: string[];
let away: boolean;
let notifier: CampaignNotifier;

beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  away = false;
  const signalMoved = (campaignId: string): Promise<'delivered'> => {
    told.push(campaignId);
    return away ? Promise.reject(new Error('away')) : Promise.resolve('delivered');
  };
  notifier = new CampaignNotifier({ workflows: { signalMoved }, logger });
});

afterEach(() => {
  notifier.close();
  jest.useRealTimers();
});

test('the first word is told at once, all that follow within half a second as one', async () => {
  for (let n = 0; n < 100; n++) notifier.moved('a');
  notifier.moved('b');
  expect(told).toEqual(['a', 'b']);
  await jest.advanceTimersByTimeAsync(499);
  expect(told).toEqual(['a', 'b']);
  await jest.advanceTimersByTimeAsync(1);
  expect(told).toEqual(['a', 'b', 'a']);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual(['a', 'b', 'a']);
});

test('there are never more than two words a second', async () => {
  for (let ms = 0; ms < 3_000; ms += 10) {
    notifier.moved('a');
    await jest.advanceTimersByTimeAsync(10);
  }
  expect(told.length).toBeLessThanOrEqual(7);
});

test('what is not taken is told again until it is', async () => {
  away = true;
  notifier.moved('a');
  await jest.advanceTimersByTimeAsync(2_500);
  expect(told).toEqual(['a', 'a', 'a']);
  away = false;
  await jest.advanceTimersByTimeAsync(1_000);
  expect(told).toHaveLength(4);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(told).toHaveLength(4);
});
