import { uuidV7 } from '../../../store/ids';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { CampaignRows } from '../../support/campaign-rows';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

describe('whether an organisation has a number in a country', () => {
  let store: StoreFixture;
  let orgId: string;
  let numbers: PhoneNumberRepository;

  beforeAll(async () => {
    store = await openStore();
    orgId = await store.newOrg();
    numbers = new PhoneNumberRepository(store.dataSource);
    const other = await store.newOrg();
    await new ConfigRepository(store.dataSource).transaction(async (tx) => {
      await numbers.attest(tx, orgId, ['+15551234567', '+442079460000', '+8821612345678']);
      await numbers.create(tx, orgId, { phoneNumber: '+4989123456', status: 'pending', method: 'outbound_code' });
      await numbers.attest(tx, other, ['+33123456789', '+14165550123']);
    });
  });
  afterAll(() => store.close());

  const hasNumberIn = async (country: string | null): Promise<boolean> =>
    (await new CallerRepository(store.dataSource).find(orgId, uuidV7(), country)).hasNumberThere;

  it.each([
    ['US', true],
    ['GB', true],
    // Between the two, before and behind both.
    ['NO', false],
    ['AD', false],
    ['ZW', false],
    // Of the same calling code as a number that it has.
    ['CA', false],
    ['DE', false],
    ['FR', false],
    [null, false],
  ])('%s: %s, of its verified ones', async (country, expected) => {
    expect(await hasNumberIn(country)).toBe(expected);
  });

  it('and all of them are told, with those of its trunks', async () => {
    const callers = new CallerRepository(store.dataSource);
    expect(await callers.countries(orgId)).toEqual(['GB', 'US']);
    const own = new CampaignRows(store.dataSource, await store.newOrg());
    expect(await callers.countries(own.orgId)).toEqual([]);
    await own.trunk({ callerNumbers: ['+4989123456', '+442079460001'] });
    expect(await callers.countries(own.orgId)).toEqual(['DE', 'GB', 'US']);
  });

  it('is no longer so when the number is given up', async () => {
    const [british] = (await numbers.list(orgId)).items.filter(({ phoneNumber }) => phoneNumber.startsWith('+44'));
    await new ConfigRepository(store.dataSource).transaction((tx) => numbers.delete(tx, orgId, british!.id));
    expect(await hasNumberIn('GB')).toBe(false);
  });
});
