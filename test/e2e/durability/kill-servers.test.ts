import { LiveStack } from '../../support/live/live-stack';
import { survivesKillOf } from '../../support/live/survival';

const MINUTE_MS = 60_000;

describe('20 live calls and the servers under them', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it.each(['temporal', 'postgres'] as const)(
    'outlive a kill -9 of %s',
    (name) => survivesKillOf(live, name, { inbound: 20, outbound: 3 }),
    2 * MINUTE_MS,
  );
});
