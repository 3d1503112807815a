import fc from 'fast-check';
import { MAX_CODE_TRIES } from '../../../contract/number-verification';
import type { PhoneNumber } from '../../../store/entities/phone-number';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { NumberVerificationRepository } from '../../../store/repositories/number-verification-repository';
import type { Confirmation } from '../../../store/repositories/number-verification-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { codeOf, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const RATE = { perOrganisation: 4, perNumber: 2 };

describe('rounds of verification', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let numbers: PhoneNumberRepository;
  let verifications: NumberVerificationRepository;
  let orgId: string;
  let otherOrg: string;
  let next = 5_550_000;

  beforeAll(async () => {
    store = await openStore();
    config = new ConfigRepository(store.dataSource);
    numbers = new PhoneNumberRepository(store.dataSource);
    verifications = new NumberVerificationRepository(store.dataSource);
    [orgId, otherOrg] = [await store.newOrg(), await store.newOrg()];
  });
  afterAll(() => store.close());

  const aNumber = (): string => `+1202${(next += 1)}`;
  const begin = (org = orgId, phoneNumber = aNumber(), validMs = 60_000): Promise<PhoneNumber> =>
    config.transaction((tx) =>
      numbers.create(tx, org, {
        phoneNumber,
        status: 'pending',
        method: 'outbound_code',
        codeExpiresAt: new Date(Date.now() + validMs),
      }),
    );
  const confirm = (row: PhoneNumber, right: boolean, compared: () => void = () => undefined): Promise<Confirmation> =>
    config.transaction((tx) =>
      verifications.confirm(tx, row.orgId, row.id, () => {
        compared();
        return right;
      }),
    );
  const expire = ({ id }: PhoneNumber, n: number): Promise<PhoneNumber | null> =>
    config.transaction((tx) =>
      verifications.settle(tx, { numberId: id, n }, { status: 'expired', failure: 'not_confirmed' }),
    );
  const found = async (row: PhoneNumber): Promise<PhoneNumber | null> => numbers.find(row.orgId, row.id);

  it('of any number of tries at once five are compared, and then it has failed', async () => {
    const row = await begin();
    let compared = 0;
    const answers = await Promise.all(Array.from({ length: 25 }, () => confirm(row, false, () => (compared += 1))));
    expect(compared).toBe(MAX_CODE_TRIES);
    expect(answers.filter(({ kind }) => kind === 'wrong')).toHaveLength(MAX_CODE_TRIES);
    expect(await found(row)).toMatchObject({ status: 'failed', failure: 'wrong_codes' });
    // The right one comes too late.
    expect(await confirm(row, true)).toMatchObject({ kind: 'not_compared', number: { status: 'failed' } });
  });

  it('goes as its model says, whatever is tried, expires and begins anew in whatever order', async () => {
    const step = fc.constantFrom('right', 'wrong', 'wrong', 'wrong', 'expire', 'begin');
    let longest = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        let row = await begin();
        const model = { status: 'pending', tries: 0, round: 1 };
        for (const what of steps) {
          if (what === 'begin') {
            const again = begin(orgId, row.phoneNumber);
            if (model.status === 'verified') expect(await codeOf(again)).toBe('number_exists');
            else {
              row = await again;
              Object.assign(model, { status: 'pending', tries: 0, round: model.round + 1 });
            }
          } else if (what === 'expire') {
            const ended = await expire(row, model.round);
            expect(ended !== null).toBe(model.status === 'pending');
            if (model.status === 'pending') model.status = 'expired';
          } else {
            const { kind } = await confirm(row, what === 'right');
            const open = model.status === 'pending';
            expect(kind).toBe(open ? (what === 'right' ? 'verified' : 'wrong') : 'not_compared');
            if (!open) continue;
            model.tries += 1;
            if (what === 'right') model.status = 'verified';
            else if (model.tries === MAX_CODE_TRIES) model.status = 'failed';
          }
          expect(await found(row)).toMatchObject(model);
          longest = Math.max(longest, model.tries);
        }
      }),
      { numRuns: 40, examples: [[['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'right']]] },
    );
    expect(longest).toBe(MAX_CODE_TRIES);
  }, 60_000);

  it('that is out of time is compared with nothing, and an earlier round ends nothing of a later one', async () => {
    const late = await begin(orgId, aNumber(), -1);
    let compared = 0;
    expect((await confirm(late, true, () => (compared += 1))).kind).toBe('not_compared');
    expect(compared).toBe(0);
    const again = await begin(orgId, late.phoneNumber);
    expect([again.id, again.round]).toEqual([late.id, 2]);
    expect(await expire(late, 1)).toBeNull();
    expect(await found(late)).toMatchObject({ status: 'pending', round: 2, failure: null });
  });

  it('two organisations may try at once: the first has the number, the other fails', async () => {
    const phoneNumber = aNumber();
    const [mine, theirs] = [await begin(orgId, phoneNumber), await begin(otherOrg, phoneNumber)];
    const answers = await Promise.all([confirm(mine, true), confirm(theirs, true)]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(['taken', 'verified']);
    const rows = await Promise.all([found(mine), found(theirs)]);
    expect(new Set(rows.map((row) => row?.status))).toEqual(new Set(['failed', 'verified']));
    expect(rows.find((row) => row?.status === 'failed')?.failure).toBe('number_taken');
    expect(await codeOf(begin(rows[0]?.status === 'verified' ? otherOrg : orgId, phoneNumber))).toBe('number_taken');
  });

  it('of a number that was attested meanwhile fail where others try, and begin anew where it is given up', async () => {
    const phoneNumber = aNumber();
    const theirs = await begin(otherOrg, phoneNumber);
    const [mine] = await config.transaction((tx) => numbers.attest(tx, orgId, [phoneNumber]));
    const fail = (winnerId: string | null) =>
      config.transaction(async (tx) => (await verifications.failTaken(tx, winnerId)).map(({ id }) => id));
    const [another] = await config.transaction((tx) => numbers.attest(tx, orgId, [aNumber()]));
    expect(await fail(another!.id)).toEqual([]);
    expect(await fail(theirs.id)).toEqual([]);
    expect(await fail(mine!.id)).toEqual([theirs.id]);
    expect(await fail(null)).toEqual([]);
    expect(await found(theirs)).toMatchObject({ status: 'failed', failure: 'number_taken' });
    await config.transaction((tx) => numbers.delete(tx, orgId, mine!.id));
    expect(await begin(otherOrg, phoneNumber)).toMatchObject({ id: theirs.id, status: 'pending', failure: null });
  });

  it('one record of a number is made, however many ask at once, and an operator may vouch for one that waits', async () => {
    const phoneNumber = aNumber();
    const rows = await Promise.all(Array.from({ length: 8 }, () => begin(orgId, phoneNumber)));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    expect(rows.map(({ round }) => round).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const [attested] = await config.transaction((tx) => numbers.attest(tx, orgId, [phoneNumber]));
    expect(attested).toMatchObject({ id: rows[0]!.id, status: 'verified', method: 'attest' });
    expect((await confirm(rows[0]!, true)).kind).toBe('not_compared');
  });

  it('are found by the sweep when they are pending and old enough', async () => {
    const row = await begin();
    const pending = async (): Promise<boolean> =>
      (await verifications.pending()).some(({ numberId }) => numberId === row.id);
    expect(await pending()).toBe(false);
    await store.dataSource.query(`UPDATE phone_numbers SET updated_at = now() - interval '4 s' WHERE id = $1`, [
      row.id,
    ]);
    expect(await pending()).toBe(true);
    await confirm(row, true);
    expect(await pending()).toBe(false);
  });

  it('call as often as the rate allows, also when all ask at once, and again after an hour', async () => {
    const org = await store.newOrg();
    const take = (phoneNumber: string): Promise<number | null> =>
      config.transaction((tx) => verifications.takeCodeCall(tx, org, phoneNumber, RATE));
    const one = aNumber();
    const toOne = await Promise.all(Array.from({ length: 6 }, () => take(one)));
    expect(toOne.filter((wait) => wait === null)).toHaveLength(RATE.perNumber);
    for (const wait of toOne.filter((left) => left !== null)) {
      expect(wait).toBeGreaterThan(3_590);
      expect(wait).toBeLessThanOrEqual(3_600);
    }
    const others = await Promise.all(Array.from({ length: 6 }, () => take(aNumber())));
    expect(others.filter((wait) => wait === null)).toHaveLength(RATE.perOrganisation - RATE.perNumber);
    await store.dataSource.query(`UPDATE number_code_calls SET at = at - interval '1 hour'`);
    expect(await take(one)).toBeNull();
    expect(await store.dataSource.query('SELECT count(*)::int AS n FROM number_code_calls')).toEqual([{ n: 1 }]);
  });
});
