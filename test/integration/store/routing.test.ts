import { uuidV7 } from '../../../store/ids';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { RoutingRepository } from '../../../store/repositories/routing-repository';
import { OwnNumbers } from '../../../store/routing/own-numbers';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const AMERICAN = Array.from({ length: 30 }, (_, n) => `+1202555${1000 + n * 37}`);
const BRITISH = Array.from({ length: 30 }, (_, n) => `+44207946${1000 + n * 41}`);
/** The same as a British and as an American number. */
const TWINS = ['+12079460000', '+442079460000'];

describe('what routing reads of the store', () => {
  let store: StoreFixture;
  let routing: RoutingRepository;

  beforeAll(async () => {
    store = await openStore();
    routing = new RoutingRepository(store.dataSource);
  });
  afterAll(() => store.close());

  async function newOrganisation(numbers: readonly string[], onTrunk: readonly string[] | null): Promise<string> {
    const orgId = await store.newOrg();
    await new ConfigRepository(store.dataSource).transaction(async (tx) => {
      await new PhoneNumberRepository(store.dataSource).attest(tx, orgId, numbers);
      if (onTrunk === null) return;
      await new InboundTrunkRepository(store.dataSource, store.secrets).create(tx, orgId, { phoneNumbers: onTrunk });
    });
    return orgId;
  }

  it.each([
    ['one country', BRITISH],
    ['two countries', [...AMERICAN, ...TWINS]],
    ['no number', []],
  ])(
    'of an organisation with numbers of %s is enough to read every number as if all were known',
    async (_, numbers) => {
      const onTrunk = numbers.filter((__, n) => n % 2 === 0);
      const orgId = await newOrganisation(numbers, onTrunk);
      const all = new OwnNumbers();
      for (const number of numbers) all.verify(number, null);
      all.putOnTrunk(onTrunk);
      const dialed = numbers.flatMap((number) => [number, number.slice(1), `00${number.slice(1)}`, number.slice(-10)]);
      for (const user of [...dialed, '02079460123', '2025550123', '442079460123', '2079460000', '4711', 'alice']) {
        const organisation = await routing.organisation(orgId, { dialedUser: user, agentIdHeader: null });
        expect([user, organisation?.dialed(user)]).toEqual([user, all.dialed(user)]);
      }
    },
  );

  it('is nothing without a trunk, and no agent of another organisation', async () => {
    const orgId = await newOrganisation([], null);
    expect(await routing.organisation(orgId, { dialedUser: '1', agentIdHeader: null })).toBeNull();
    const [mine, other] = [await newOrganisation([], []), await newOrganisation([], [])];
    const agentId = uuidV7();
    await store.dataSource.query(`INSERT INTO agents (id, org_id, name) VALUES ($1, $2, 'A')`, [agentId, other]);
    const invite = { dialedUser: '1', agentIdHeader: agentId.toUpperCase() };
    expect((await routing.organisation(mine, invite))?.agent(agentId)).toBeUndefined();
    expect((await routing.organisation(mine, invite))?.oldestInboundAgent()).toBeUndefined();
    expect((await routing.organisation(other, invite))?.agent(agentId)).toEqual({ id: agentId });
    expect((await routing.organisation(other, invite))?.oldestInboundAgent()).toEqual({ id: agentId });
  });
});
