import type { RegisteredTrunk, SipBinding } from '../../../contract/registration';
import { uuidV7 } from '../../../store/ids';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { RegistrationRepository } from '../../../store/repositories/registration-repository';
import { BINDING } from '../../fakes/media/sip/registers';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

describe('registrations', () => {
  let store: StoreFixture;
  let registrations: RegistrationRepository;
  let trunks: InboundTrunkRepository;
  let config: ConfigRepository;

  beforeAll(async () => {
    store = await openStore();
    registrations = new RegistrationRepository(store.dataSource);
    trunks = new InboundTrunkRepository(store.dataSource, store.secrets);
    config = new ConfigRepository(store.dataSource);
  });
  afterAll(() => store.close());

  async function newTrunk(): Promise<RegisteredTrunk> {
    const orgId = await store.newOrg();
    const trunk = await config.transaction((tx) => trunks.create(tx, orgId, { phoneNumbers: [] }));
    return { trunkId: trunk.id, orgId };
  }

  const binding = (more: Partial<SipBinding> = {}): SipBinding => {
    const nowMs = Date.now();
    const times = { registeredAtMs: nowMs, refreshedAtMs: nowMs, expiresAtMs: nowMs + 60_000 };
    return { ...BINDING, id: uuidV7(), ...times, ...more };
  };

  const of = ({ orgId, trunkId }: RegisteredTrunk): Promise<SipBinding[]> => registrations.ofTrunk(orgId, trunkId);

  it('come back as they were kept', async () => {
    const trunk = await newTrunk();
    const full = binding({
      instanceId: '<urn:uuid:1>',
      regId: 2,
      q: 0.25,
      path: ['<sip:p2,a;lr>', '<sip:"p1";lr>'],
      cseq: 2 ** 31 - 1,
      userAgent: 'FPBX “16”',
      source: { transport: 'tcp', address: '2001:db8::1', port: 5061 },
    });
    expect(await registrations.update(trunk, () => [full])).toBe(true);
    expect(await of(trunk)).toEqual([full]);
  });

  it('are added, changed and removed as one', async () => {
    const trunk = await newTrunk();
    const [one, two] = [binding(), binding({ contact: 'sip:two@h' })];
    await registrations.update(trunk, () => [one, two]);
    const refreshed = { ...one, cseq: 7, refreshedAtMs: one.refreshedAtMs + 5 };
    const three = binding({ contact: 'sip:three@h', refreshedAtMs: one.refreshedAtMs + 9 });
    await registrations.update(trunk, (held) => {
      expect(new Set(held.map(({ id }) => id))).toEqual(new Set([one.id, two.id]));
      return [refreshed, three];
    });
    expect(await of(trunk)).toEqual([three, refreshed]);
    await registrations.update(trunk, () => null);
    expect(await of(trunk)).toHaveLength(2);
    await registrations.update(trunk, () => []);
    expect(await of(trunk)).toEqual([]);
  });

  it('of one trunk are changed by one node after the other', async () => {
    const trunk = await newTrunk();
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        registrations.update(trunk, (held) => [...held, binding({ contact: `sip:${n}@h` })]),
      ),
    );
    expect(await of(trunk)).toHaveLength(8);
  });

  it('that have expired are shown to nobody, but to who changes them', async () => {
    const trunk = await newTrunk();
    await registrations.update(trunk, () => [binding({ expiresAtMs: Date.now() - 1 })]);
    expect(await of(trunk)).toEqual([]);
    expect(await registrations.found(trunk.orgId, trunk.trunkId)).toEqual([]);
    await registrations.update(trunk, (held) => {
      expect(held).toHaveLength(1);
      return null;
    });
  });

  it('are held by nodes that live', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    const seen = { bootId: 'b', startedAtMs: Date.now(), calls: 0, configVersion: 0, begins: true };
    await nodes.seen({ ...seen, nodeId: 'alive', sipAddress: 'Node.example:5070' });
    const trunk = await newTrunk();
    await registrations.update(trunk, () => [
      binding({ nodeId: 'alive', contact: 'sip:a@h' }),
      binding({ nodeId: 'never seen', contact: 'sip:b@h' }),
    ]);
    const found = await registrations.found(trunk.orgId, trunk.trunkId);
    expect(new Map(found.map(({ binding: { nodeId }, held }) => [nodeId, held]))).toEqual(
      new Map([
        ['alive', true],
        ['never seen', false],
      ]),
    );
    expect(await registrations.isNodeAddress('node.example:5070')).toBe(true);
    expect(await registrations.isNodeAddress('node.example')).toBe(false);
  });

  it('vanish with the trunk, with a password without grace, and with a suspended organisation', async () => {
    const organisations = new OrganisationRepository(store.dataSource);
    const [deleted, rotated, kept, suspended] = [
      await newTrunk(),
      await newTrunk(),
      await newTrunk(),
      await newTrunk(),
    ];
    for (const trunk of [deleted, rotated, kept, suspended]) await registrations.update(trunk, () => [binding()]);
    await config.transaction((tx) => trunks.delete(tx, deleted.orgId));
    await config.transaction((tx) => trunks.rotatePassword(tx, rotated.orgId, 0));
    await config.transaction((tx) => trunks.rotatePassword(tx, kept.orgId, 60));
    await config.transaction((tx) => organisations.update(tx, suspended.orgId, { suspended: true }));
    expect(await Promise.all([deleted, rotated, kept, suspended].map(of))).toMatchObject([[], [], [{}], []]);
    expect(await registrations.update(deleted, () => [binding()])).toBe(false);
    await config.transaction((tx) => organisations.delete(tx, kept.orgId));
    expect(await of(kept)).toEqual([]);
  });

  it('of another organisation’s trunk cannot be changed', async () => {
    const [one, other] = [await newTrunk(), await newTrunk()];
    expect(await registrations.update({ ...one, orgId: other.orgId }, () => [binding()])).toBe(false);
  });
});
