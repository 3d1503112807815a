import type { ConfigTransaction } from '../../../store/config-transaction';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { TrunkProvisioningRepository } from '../../../store/repositories/trunk-provisioning-repository';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';
import { readConfig } from '../../support/config-since';

const carrier = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };

describe('how far the configuration of a trunk has come', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let inbound: InboundTrunkRepository;
  let outbound: OutboundTrunkRepository;
  let provisioning: TrunkProvisioningRepository;
  let orgId: string;

  beforeEach(async () => {
    store = await openStore();
    config = new ConfigRepository(store.dataSource);
    inbound = new InboundTrunkRepository(store.dataSource, store.secrets);
    outbound = new OutboundTrunkRepository(store.dataSource, store.secrets);
    provisioning = new TrunkProvisioningRepository(store.dataSource);
    orgId = await store.newOrg();
  });
  afterEach(() => store.close());

  const change = <T>(work: (tx: ConfigTransaction) => Promise<T>): Promise<T> => config.transaction(work);
  const passTime = (): Promise<unknown> =>
    store.dataSource.query(`UPDATE trunk_provisioning SET due_at = due_at - interval '1 minute'`);

  it('is written with every change of it, in the version of the change', async () => {
    const trunk = await change((tx) => inbound.create(tx, orgId, { phoneNumbers: [] }));
    const other = await change((tx) => outbound.create(tx, orgId, carrier));
    const version = await config.currentVersion();
    expect(await provisioning.find(trunk.id)).toEqual({
      version: version - 1,
      removed: false,
      previousPasswordUntil: null,
    });
    expect(await provisioning.find(other.id)).toMatchObject({ version });
    const { tx } = await config.transaction(async (tx) => {
      await inbound.rotatePassword(tx, orgId, 60);
      await outbound.delete(tx, orgId, other.id);
      return { tx };
    });
    expect(tx.version).toBe(version + 1);
    expect(await provisioning.find(trunk.id)).toEqual({
      version: version + 1,
      removed: false,
      previousPasswordUntil: expect.any(Date),
    });
    expect(await provisioning.find(other.id)).toMatchObject({ version: version + 1, removed: true });
    expect((await config.transaction((tx2) => Promise.resolve(tx2))).version).toBeNull();
  });

  it('is due until the last version is confirmed, and given to one at a time', async () => {
    const { id: trunkId } = await change((tx) => inbound.create(tx, orgId, { phoneNumbers: [] }));
    // Who changed it tells its workflow at once.
    expect(await provisioning.claimDue(10)).toEqual([]);
    await passTime();
    const version = await config.currentVersion();
    expect(await provisioning.claimDue(10)).toEqual([
      { orgId, trunkId, direction: 'inbound', version, removed: false },
    ]);
    expect(await provisioning.claimDue(10)).toEqual([]);
    await change((tx) => inbound.update(tx, orgId, { mediaTimeoutSeconds: 60 }));
    // An older version is not the last.
    await provisioning.confirm(trunkId, version);
    await passTime();
    expect(await provisioning.claimDue(10)).toMatchObject([{ trunkId, version: version + 1 }]);
    await provisioning.confirm(trunkId, version + 1);
    await provisioning.confirm(trunkId, version);
    await passTime();
    expect(await provisioning.claimDue(10)).toEqual([]);
  });

  it('outlives its organisation, until no media node knows the trunk', async () => {
    const { id: trunkId } = await change((tx) => inbound.create(tx, orgId, { phoneNumbers: [] }));
    const made = await config.currentVersion();
    await change((tx) => new OrganisationRepository({ manager: tx.manager }).delete(tx, orgId));
    const removed = await config.currentVersion();
    expect(await provisioning.find(trunkId)).toEqual({ version: removed, removed: true, previousPasswordUntil: null });
    await provisioning.confirm(trunkId, made);
    expect(await provisioning.find(trunkId)).not.toBeNull();
    await provisioning.confirm(trunkId, removed);
    expect(await provisioning.find(trunkId)).toBeNull();
  });

  it('the password before a rotation is erased when its time is over, which nodes learn of', async () => {
    const { id } = await change((tx) => inbound.create(tx, orgId, { phoneNumbers: [] }));
    const erase = (): Promise<Date | null> => change((tx) => inbound.erasePreviousPassword(tx, orgId, id));
    expect(await erase()).toBeNull();
    const { previousPasswordUntil } = await change((tx) => inbound.rotatePassword(tx, orgId, 60));
    const version = await config.currentVersion();
    expect(await erase()).toEqual(previousPasswordUntil);
    expect(await config.currentVersion()).toBe(version);
    await store.dataSource.query(`UPDATE inbound_trunks SET previous_password_until = now()`);
    expect(await erase()).toBeNull();
    const [row] = await store.dataSource.query('SELECT * FROM inbound_trunks');
    expect([row.previous_password_sealed, row.previous_password_until]).toEqual([null, null]);
    expect((await readConfig(store, version)).inboundTrunks).toMatchObject([{ id, previousPassword: null }]);
    const other = await store.newOrg();
    expect(await change((tx) => inbound.erasePreviousPassword(tx, other, id))).toBeNull();
  });
});
