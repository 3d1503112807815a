import { LiveStack } from '../../support/live/live-stack';
import { standsStill } from '../../support/live/standstill';

const MINUTE_MS = 60_000;

describe('a media node that stands still under ten calls', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  // Eight seconds are about what it takes to give a node up: whether it came to that is decided once, for all of them.
  it(
    'for 8 s: all of its calls go on, or each ends once, with BYE, one record and no packet after it',
    async () => {
      await standsStill(live, 8_000, { inbound: 8, outbound: 2 });
    },
    2 * MINUTE_MS,
  );
});
