/** Whatever happened in between: what changes add up to is what a full read gives. */
import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import { SecretBox } from '../../../store/secrets';
import { RandomConfig } from '../../support/config-changes';
import { readConfig } from '../../support/config-since';
import { viewOf } from '../../support/config-view';
import { openStore } from '../store/store-fixture';
import type { StoreFixture } from '../store/store-fixture';
import { ConfigFollower } from './config-follower';

const soak = process.env['TEST_SOAK'] === '1';
const SEED = Number(process.env['TEST_SEED'] ?? 20261130);
const STEPS = soak ? 4_000 : 400;
const STEPS_BETWEEN_LOOKS = 20;
/** Of the processes, each of which is stopped, killed or cut off meanwhile. */
const ROUNDS = soak ? 40 : 5;
const STEPS_A_ROUND = 25;
const SECRETS_KEY = Buffer.alloc(32, 1).toString('base64');

describe(`random changes of the configuration, seed ${SEED}`, () => {
  let store: StoreFixture;

  beforeAll(async () => {
    store = await openStore();
  });

  afterAll(() => store.close());

  async function fullView(random: RandomConfig): Promise<object> {
    const full = new ConfigSnapshot();
    full.apply(await readConfig(store));
    return viewOf(full, random.universe);
  }

  it('add up to what a full read gives, however seldom one looks', async () => {
    const random = new RandomConfig(store, SEED);
    for (let n = 0; n < 3; n++) await random.newOrganisation();
    const followers = [1, 7, 60].map((steps) => ({ steps, snapshot: new ConfigSnapshot() }));
    for (let step = 1; step <= STEPS; step++) {
      await random.step();
      for (const { steps, snapshot } of followers) {
        if (random.below(steps) === 0) snapshot.apply(await readConfig(store, snapshot.version));
      }
      if (step % STEPS_BETWEEN_LOOKS !== 0) continue;
      const expected = await fullView(random);
      for (const { snapshot } of followers) {
        snapshot.apply(await readConfig(store, snapshot.version));
        expect(viewOf(snapshot, random.universe)).toEqual(expected);
      }
    }
    // Of each kind there was enough to go wrong.
    expect(Math.min(...Object.values(random.done))).toBeGreaterThanOrEqual(STEPS / 200);
    expect(Object.keys(random.done)).toHaveLength(RandomConfig.KINDS);
  }, 600_000);

  it('reach processes that were stopped, killed and cut off meanwhile', async () => {
    const random = new RandomConfig(store, SEED + 1);
    for (let n = 0; n < 3; n++) await random.newOrganisation();
    const options = { databaseUrl: store.url, secretsKey: SECRETS_KEY };
    expect(new SecretBox(SECRETS_KEY).openingKeys()).toEqual(store.secrets.openingKeys());
    const [stopped, killed, cutOff] = Array.from({ length: 3 }, () => new ConfigFollower(options));
    const all = [stopped!, killed!, cutOff!];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        stopped!.pause();
        for (let step = 0; step < STEPS_A_ROUND; step++) {
          await random.step();
          if (step === Math.floor(STEPS_A_ROUND / 2)) await killed!.restart();
          // All sessions that follow; that of the process that stands still hears of it afterwards.
          if (random.below(5) === 0) {
            await store.dataSource.query(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'trunkline-configuration'`,
            );
          }
        }
        stopped!.resume();
        const expected = await fullView(random);
        const version = await random.config.currentVersion();
        for (const follower of all) expect(await follower.view(version, random.universe)).toEqual(expected);
      }
    } finally {
      await Promise.all(all.map((follower) => follower.kill()));
    }
  }, 600_000);

  it('are read anew as a whole when the database is another one than before', async () => {
    const snapshot = new ConfigSnapshot();
    snapshot.apply({ ...(await readConfig(store)), version: 1_000_000 });
    const delta = await readConfig(store, snapshot.version);
    expect(delta.full).toBe(true);
    snapshot.apply(delta);
    expect(snapshot.version).toBe(delta.version);
  });
});
