import { uuidV7 } from '../../../store/ids';
import { CampaignGuardRepository } from '../../../store/repositories/campaign-guard-repository';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const SINCE_MS = NOW_MS - 30 * 60_000;
const OLD_ENOUGH_S = 120;

interface Sample {
  /** Before now. */
  readonly begunS?: number;
  readonly disposition?: string | null;
  /** Answered that long ago; null: never. */
  readonly answeredS?: number | null;
  readonly durationS?: number | null;
  readonly openingSilenceMs?: number | null;
  readonly attempt?: string | null;
}

let store: StoreFixture;
let guards: CampaignGuardRepository;
let orgId: string;
let campaignId: string;
beforeAll(async () => {
  store = await openStore();
  guards = new CampaignGuardRepository(store.dataSource);
  orgId = await store.newOrg();
});
afterAll(() => store.close());
beforeEach(async () => {
  campaignId = await newCampaign();
});

async function newCampaign(): Promise<string> {
  const id = uuidV7();
  await store.dataSource.query(
    `INSERT INTO campaigns (id, org_id, name, status, caller_numbers, local_presence, dial_window, ring_timeout_seconds, retry,
       caps, machine_detection, variables, require_consent, auto_pause)
     VALUES ($1, $2, 'C', 'running', '{}', false, '{}', 45, '{}', '{}', 'off', '{}', false, '{}')`,
    [id, orgId],
  );
  return id;
}

async function called(sample: Sample, campaign = campaignId): Promise<void> {
  const id = uuidV7();
  const { begunS = OLD_ENOUGH_S, disposition = 'answered', durationS = disposition === null ? null : 0 } = sample;
  const taken = disposition === 'answered' || disposition === 'voicemail';
  const { answeredS = taken ? begunS - 10 : null, openingSilenceMs = null, attempt = 'finished' } = sample;
  const at = (seconds: number | null): Date | null => (seconds === null ? null : new Date(NOW_MS - seconds * 1000));
  await store.dataSource.query(
    `INSERT INTO calls (id, org_id, campaign_id, session_id, direction, from_number, to_number, status, disposition,
       created_at, answered_at, ended_at, duration_seconds, metrics)
     VALUES ($1, $2, $3, $1, 'outbound', '+1', '+2', $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      orgId,
      campaign,
      disposition === null ? 'in_progress' : 'completed',
      disposition,
      at(begunS),
      at(answeredS),
      disposition === null ? null : at(Math.max(0, (answeredS ?? begunS) - (durationS ?? 0))),
      durationS,
      { openingSilenceMs },
    ],
  );
  if (attempt === null) return;
  await store.dataSource.query(
    `INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
     VALUES ($1, $1, $2, 1, $3, 'sip', 'node', 'boot')`,
    [id, orgId, attempt],
  );
}

const figures = (): Promise<unknown> => guards.figures(campaignId, SINCE_MS, NOW_MS);

test('answers, short calls and those that were left in silence are counted of dials that came to something', async () => {
  await called({ durationS: 6, openingSilenceMs: 20 });
  await called({ durationS: 12, openingSilenceMs: 2000 });
  await called({ durationS: 60, openingSilenceMs: 2001 });
  await called({ durationS: 13, disposition: 'voicemail' });
  await called({ disposition: 'busy' });
  await called({ disposition: 'congestion' });
  expect(await figures()).toEqual({ attempts: 6, answered: 4, shortCalls6s: 1, shortCalls12s: 2, abandoned: 1 });
});

test('nothing speaks against a campaign that was not dialled, was taken back, or is not known', async () => {
  await called({ disposition: 'canceled' });
  await called({ disposition: 'uncertain', attempt: 'uncertain' });
  await called({ disposition: 'expired', attempt: null });
  await called({ disposition: 'failed', attempt: 'not_sent' });
  await called({ disposition: 'failed', attempt: null });
  await called({ disposition: 'busy' }, await newCampaign());
  await called({ disposition: 'busy', begunS: 31 * 60 });
  expect(await figures()).toEqual({ attempts: 0, answered: 0, shortCalls6s: 0, shortCalls12s: 0, abandoned: 0 });
});

test('a call counts from when it could have rung and lasted: the answered ones of a minute would be missing', async () => {
  await called({ disposition: 'busy', begunS: 56 });
  await called({ disposition: null, begunS: 56, answeredS: 50 });
  expect(await figures()).toMatchObject({ attempts: 0 });
  await called({ disposition: 'busy', begunS: 57 });
  await called({ disposition: null, begunS: 57, answeredS: 12 });
  await called({ disposition: null, begunS: 70, answeredS: 11 });
  expect(await figures()).toMatchObject({ attempts: 2, answered: 1, shortCalls12s: 0 });
});

test('of more than two thousand the latest count', async () => {
  await called({ disposition: 'busy', begunS: 25 * 60 });
  await store.dataSource.query(
    `WITH made AS (
       INSERT INTO calls (id, org_id, campaign_id, session_id, direction, from_number, to_number, status, disposition,
         created_at, answered_at, ended_at, duration_seconds)
       SELECT gen_random_uuid(), $1, $2, $2, 'outbound', '+1', '+2', 'completed', 'answered', $3, $3, $3, 60
       FROM generate_series(1, 2000) RETURNING id)
     INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
     SELECT id, id, $1, 1, 'finished', id::text, 'node', 'boot' FROM made`,
    [orgId, campaignId, new Date(NOW_MS - OLD_ENOUGH_S * 1000)],
  );
  expect(await figures()).toMatchObject({ attempts: 2000, answered: 2000 });
});

test('of a campaign that is not there nothing is known', async () => {
  expect(await guards.figures(uuidV7(), SINCE_MS)).toMatchObject({ attempts: 0 });
  expect(await guards.figures('none', SINCE_MS)).toMatchObject({ attempts: 0 });
});
