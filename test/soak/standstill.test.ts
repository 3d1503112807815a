/** Media nodes that stand still, for less than it takes to give one up, about as long, and longer. */
import { LiveStack } from '../support/live/live-stack';
import { standsStill } from '../support/live/standstill';

const MINUTE_MS = 60_000;
const CALLS = { inbound: 7, outbound: 3 };

describe('a media node that stands still under ten calls', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it(
    'for 3 s is not lost',
    async () => {
      expect(await standsStill(live, 3_000, CALLS)).toBe('alive');
      expect((await live.nodeState()).lostBoots).toEqual([]);
    },
    2 * MINUTE_MS,
  );

  it.each([6_500, 7_000, 7_500, 8_000, 8_500, 9_000])(
    'for %d ms, about when it is given up, has its calls on or off, never both',
    (ms) => standsStill(live, ms, CALLS),
    2 * MINUTE_MS,
  );

  it.each([15_000, 40_000])(
    'for %d ms has none of them left',
    async (ms) => expect(await standsStill(live, ms, CALLS)).toBe('lost'),
    3 * MINUTE_MS,
  );
});
