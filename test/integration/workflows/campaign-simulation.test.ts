/**
 * Campaigns over three days in which clocks go forward, by a simulated clock and carrier: for every INVITE what a campaign has
 * to keep is worked out anew, from the contacts and the wall clocks alone.
 */
import type { DataSource } from 'typeorm';

import { statsView } from '../../../api/campaigns/stats-view';
import { DISPOSITIONS, wasAnswered } from '../../../contract/endings';
import { createDataSource } from '../../../store/data-source';
import type { Campaign } from '../../../store/entities/campaign';
import { uuidV7 } from '../../../store/ids';
import { CampaignRepository } from '../../../store/repositories/campaign-repository';
import { CampaignResultsRepository } from '../../../store/repositories/campaign-results-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import { ALWAYS, CampaignRows } from '../../support/campaign-rows';
import { AREAS, simulatedContacts, ZONES } from '../../support/campaign/simulated-contacts';
import type { SimulatedContact } from '../../support/campaign/simulated-contacts';
import { SharedConnections } from '../../support/campaign/shared-connections';
import { Simulation, TOGETHER_MS } from '../../support/campaign/simulation';
import type { SimulatedDial } from '../../support/campaign/simulation';
import { openThroughout } from '../../support/campaign/wall-clock';
import type { OpenHours } from '../../support/campaign/wall-clock';
import { SeededRandom } from '../../support/live/random';
import { bySocket, createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

const SOAK = process.env['TEST_SOAK'] === '1';
const SEED = Number(process.env['SOAK_SEED'] ?? 20_270_314);
const CONTACTS = Number(process.env['SOAK_CONTACTS'] ?? (SOAK ? 100_000 : 3_000));
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A Saturday; in the night that follows clocks of North America go forward. */
const START_MS = Date.parse('2027-03-13T00:00:00Z');
const END_MS = START_MS + 3 * DAY_MS;
const RING_MS = 30_000;
const CAP_PER_DAY = 2;
const ALL_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const COUNTRIES = ['US', 'CA', 'GB', 'DE'];
const RETRY = {
  rules: {
    busy: { max: 3, delaysMinutes: [10, 60] },
    no_answer: { max: 2, delaysMinutes: [120] },
    voicemail: { max: 1, delaysMinutes: [240] },
    congestion: { max: 2, delaysMinutes: [5] },
  },
  maxAttemptsTotal: 4,
};
const CARRIER = {
  seed: SEED,
  mix: { answered: 6, voicemail: 2, busy: 4, no_answer: 5, declined: 1, blocked: 1, rejected: 1, congested: 1 },
  ringMs: [2_000, 12_000],
  talkMs: [5_000, 60_000],
} as const;

/** Where it is afternoon when the simulation starts. */
const AWAKE = { timeZone: 'America/Los_Angeles', zones: ['America/Los_Angeles'] };

interface Side {
  readonly campaign: Campaign;
  readonly hours: OpenHours;
}

let database: TestDatabase;
let dataSource: DataSource;
let connections: SharedConnections;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = bySocket(database.databaseUrl);
  dataSource = await createDataSource({ url, poolSize: 10 }).initialize();
  // Nothing is killed here, and nobody waits for a disk.
  await dataSource.query(
    `ALTER DATABASE ${new URL(database.databaseUrl).pathname.slice(1)} SET synchronous_commit = off`,
  );
  await dataSource.destroy();
  await dataSource.initialize();
  connections = await SharedConnections.open(url, 2);
}, 60_000);

afterAll(async () => {
  await connections.close();
  await dataSource.destroy();
  await database.drop();
}, 60_000);

async function organisation(): Promise<CampaignRows> {
  const orgId = uuidV7();
  await dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [orgId]);
  return new CampaignRows(dataSource, orgId);
}

/** Due from the beginning; some thousands in one statement. */
async function addContacts(campaign: Campaign, contacts: readonly SimulatedContact[]): Promise<void> {
  for (let at = 0; at < contacts.length; at += 5_000) {
    const rows = contacts.slice(at, at + 5_000).map(({ phoneNumber, timeZone, consentId, priority }) => ({
      id: uuidV7(START_MS),
      phone_number: phoneNumber,
      time_zone: timeZone,
      consent_id: consentId,
      priority,
    }));
    await dataSource.query(
      `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, name, time_zone, consent_id, priority, variables, due_at)
       SELECT c.id, $2, $3, c.phone_number, 'Ada', c.time_zone, c.consent_id, c.priority, '{}', $4
       FROM jsonb_to_recordset($1::jsonb)
         AS c (id uuid, phone_number text, time_zone text, consent_id text, priority smallint)`,
      [JSON.stringify(rows), campaign.orgId, campaign.id, new Date(START_MS)],
    );
  }
}

test(
  `${CONTACTS} contacts of three campaigns in ${ZONES.length} zones: every INVITE is one that may leave`,
  async () => {
    const random = new SeededRandom(SEED);
    const rows = await organisation();
    const agentId = await rows.agent();
    const rates = new Map<string, number>();
    for (const perSecond of SOAK ? [1, 4, 10] : [1, 4, 8]) {
      rates.set(await rows.trunk({ maxCallsPerSecond: perSecond, maxConcurrentCalls: 40 * perSecond }), perSecond);
    }
    const common = {
      agentId,
      trunkIds: [...rates.keys()],
      retry: RETRY,
      ringTimeoutSeconds: RING_MS / 1000,
      caps: { perNumberPerDay: CAP_PER_DAY, perNumberPerWeek: 7 },
    };
    // One whose days are longer than the law's, and one that keeps a holiday.
    const long: Side = {
      campaign: await rows.campaign({
        ...common,
        dialWindow: { ...ALWAYS, start: '07:30', end: '21:30', legal: 'default' },
      }),
      hours: { days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], start: 450, end: 1290, holidays: [] },
    };
    const short: Side = {
      campaign: await rows.campaign({
        ...common,
        callsPerSecond: 2,
        dialWindow: {
          ...ALWAYS,
          days: ALL_DAYS.filter((day) => day !== 'sun'),
          start: '10:00',
          end: '18:00',
          holidays: ['2027-03-15'],
          legal: 'default',
        },
      }),
      hours: { days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'], start: 600, end: 1080, holidays: ['2027-03-15'] },
    };
    // One that is small, whose contacts may all be called when it starts beside the others.
    const small: Side = { ...long, campaign: await rows.campaign({ ...common, dialWindow: long.campaign.dialWindow }) };
    const sides = new Map([long, short, small].map((side) => [side.campaign.id, side]));

    const all = simulatedContacts(random, CONTACTS + CONTACTS / 100);
    const contacts = all.slice(0, CONTACTS);
    // The last tenth are contacts of both.
    const shared = contacts.slice(-CONTACTS / 10);
    const few = all.slice(CONTACTS).map((contact) => ({ ...contact, ...AWAKE, consentId: 'form-1' }));
    await addContacts(long.campaign, contacts);
    await addContacts(short.campaign, shared);
    await addContacts(small.campaign, few);
    const contactsOf = new Map([
      [long.campaign.id, contacts.length],
      [short.campaign.id, shared.length],
      [small.campaign.id, few.length],
    ]);
    const byNumber = new Map([...few, ...contacts].map((contact) => [contact.phoneNumber, contact]));

    const simulation = new Simulation({
      dataSource: connections.over(dataSource),
      orgId: rows.orgId,
      campaignIds: [...sides.keys()],
      startMs: START_MS,
      carrier: CARRIER,
      countries: COUNTRIES,
    });
    /** From when on a number must not be called. */
    const barredAtMs = new Map<string, number>();
    const bar = async (numbers: readonly string[], atMs: number): Promise<void> => {
      for (const number of numbers) barredAtMs.set(number, atMs);
      await dataSource.query(
        `INSERT INTO dnc_entries (id, org_id, phone_number, source)
         SELECT gen_random_uuid(), $1, unnest($2::text[]), 'api' ON CONFLICT DO NOTHING`,
        [rows.orgId, numbers],
      );
    };
    const some = (share: number): string[] =>
      contacts.flatMap((one) => (random.next() < share ? [one.phoneNumber] : []));
    await bar(some(0.01), START_MS);
    for (let atMs = START_MS + HOUR_MS; atMs < END_MS; atMs += 2 * HOUR_MS) {
      const numbers = some(0.002);
      simulation.at(atMs, () => bar(numbers, atMs));
    }
    // Worker and Temporal, in the middle of the busiest time.
    simulation.away(START_MS + 16 * HOUR_MS, START_MS + 16 * HOUR_MS + 10 * MINUTE_MS);
    await simulation.run(END_MS);
    const { dials } = simulation;

    const wrong: unknown[] = [];
    for (const dial of dials) {
      const { hours } = sides.get(dial.campaignId)!;
      const { zones, legal, consentId } = byNumber.get(dial.number)!;
      const open = { ...hours, start: Math.max(hours.start, legal[0]), end: Math.min(hours.end, legal[1]) };
      if (!openThroughout(zones, open, dial.atMs, dial.atMs + RING_MS)) wrong.push(['window', dial, zones]);
      if (consentId === null) wrong.push(['consent', dial]);
      // What is admitted leaves within this without being asked about again.
      if ((barredAtMs.get(dial.number) ?? Infinity) < dial.atMs - 100 - TOGETHER_MS) wrong.push(['dnc', dial]);
    }
    for (const ofNumber of grouped(dials, ({ number }) => number)) {
      // Whom a network without room kept from everybody was not disturbed.
      const disturbing = ofNumber.filter(({ disposition }) => disposition !== 'congestion');
      for (const [n, dial] of disturbing.entries()) {
        const capped = disturbing[n + CAP_PER_DAY];
        if (capped !== undefined && capped.atMs - dial.atMs < DAY_MS) wrong.push(['cap', dial, capped]);
      }
      for (const [n, dial] of ofNumber.entries()) {
        const next = ofNumber[n + 1];
        if (next !== undefined && next.atMs < dial.endMs) wrong.push(['two live calls', dial, next]);
      }
    }
    for (const ofTrunk of grouped(dials, ({ trunkId }) => trunkId)) {
      const leastMs = 950 / rates.get(ofTrunk[0]!.trunkId)!;
      const close = ofTrunk.filter(({ atMs }, n) => n > 0 && atMs - ofTrunk[n - 1]!.atMs < leastMs);
      wrong.push(...close.map((dial) => ['spacing', dial]));
      // What was admitted by then leaves within a second.
      for (const { endMs, retryAfterSeconds } of ofTrunk) {
        const untilMs = endMs + (retryAfterSeconds ?? 0) * 1000;
        const early = ofTrunk.find(({ atMs }) => atMs > endMs + 1_000 + TOGETHER_MS && atMs < untilMs);
        if (early !== undefined) wrong.push(['cool-down', early, endMs]);
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(wrong).toHaveLength(0);

    // It was a test: everywhere somebody was called, before and after the clocks changed, and more than once.
    const called = new Set(dials.map(({ number }) => number));
    const zones = new Set([...called].map((number) => byNumber.get(number)!.timeZone));
    expect(ZONES.filter((zone) => !zones.has(zone))).toEqual([]);
    const without = [...called].filter((number) => byNumber.get(number)!.timeZone === null);
    expect(AREAS.filter(({ prefix }) => !without.some((number) => number.startsWith(prefix)))).toEqual([]);
    expect(dials.filter(({ atMs }) => atMs > START_MS + 2 * DAY_MS).length).toBeGreaterThan(CONTACTS / 100);
    expect(called.size).toBeGreaterThan(CONTACTS * 0.9);
    expect(dials.length).toBeGreaterThan(called.size * 1.3);

    // The large one does not keep the small one waiting.
    const [ofLong, ofSmall] = [long, small].map(({ campaign }) => firstDials(dials, campaign.id)) as [
      number[],
      number[],
    ];
    expect(ofSmall).toHaveLength(few.length);
    expect(ofLong.filter((atMs) => atMs < Math.max(...ofSmall)).length).toBeLessThan(CONTACTS / 10);

    // Totals: of the contacts, of the attempts, of the evidence, and of the ledger, which is empty.
    for (const { campaign } of sides.values()) {
      const own = dials.filter(({ campaignId }) => campaignId === campaign.id);
      // As the route shows them.
      const stats = statsView(
        await new CampaignRepository(dataSource).counts(campaign.id),
        await new CampaignResultsRepository(dataSource).callCounts(rows.orgId, campaign.id),
      );
      const answered = own.filter(wasAnswered);
      const reached = own.filter(({ disposition }) => disposition === 'answered').map(({ contactId }) => contactId);
      expect(new Set(reached).size).toBe(reached.length);
      expect([stats.contacts, stats.states.calling]).toEqual([contactsOf.get(campaign.id), 0]);
      expect([stats.attempts, stats.results.reached]).toEqual([own.length, reached.length]);
      expect(stats.outcomes).toEqual(
        Object.fromEntries(DISPOSITIONS.map((name) => [name, own.filter((one) => one.disposition === name).length])),
      );
      expect(stats.answer_seizure_ratio).toBeCloseTo(answered.length / own.length, 3);
      const seconds = answered.reduce(
        (sum, { answeredAtMs, endMs }) => sum + Math.round((endMs - answeredAtMs!) / 1000),
        0,
      );
      expect(stats.minutes).toBeCloseTo(seconds / 60, 1);
      const nth = grouped(own, ({ contactId }) => contactId).flatMap((ofContact) => ofContact.map((_, n) => n + 1));
      expect(stats.connect_rate.by_attempt.map(({ attempt, dials: n }) => [attempt, n])).toEqual(
        [...new Set(nth)]
          .toSorted((a, b) => a - b)
          .map((attempt) => [attempt, nth.filter((n) => n === attempt).length]),
      );
      expect(stats.connect_rate.by_hour.reduce((sum, hour) => sum + hour.dials, 0)).toBe(own.length);
      const [stored] = await dataSource.query<{ attempts: number; evidence: number; open: number }[]>(
        `SELECT (SELECT count(*)::int FROM call_attempts a JOIN calls c ON c.id = a.call_id
            WHERE c.campaign_id = $1 AND a.state <> 'not_sent') AS attempts,
          (SELECT count(DISTINCT d.call_id)::int FROM contact_decisions d JOIN call_attempts a ON a.call_id = d.call_id
            WHERE d.campaign_id = $1 AND d.dialled AND a.state <> 'not_sent') AS evidence,
          (SELECT count(*)::int FROM calls WHERE campaign_id = $1 AND ended_at IS NULL) AS open`,
        [campaign.id],
      );
      expect(stored).toEqual({ attempts: own.length, evidence: own.length, open: 0 });
    }
    expect(await new CapacityRepository(dataSource).inUse()).toEqual([]);
  },
  (SOAK ? 60 : 5) * MINUTE_MS,
);

/** When each of its contacts was called for the first time. */
function firstDials(dials: readonly SimulatedDial[], campaignId: string): number[] {
  const own = dials.filter((dial) => dial.campaignId === campaignId);
  return grouped(own, ({ contactId }) => contactId).map(([first]) => first!.atMs);
}

function grouped(dials: readonly SimulatedDial[], key: (dial: SimulatedDial) => string): SimulatedDial[][] {
  const groups = new Map<string, SimulatedDial[]>();
  for (const dial of dials.toSorted((a, b) => a.atMs - b.atMs)) {
    const group = groups.get(key(dial));
    if (group === undefined) groups.set(key(dial), [dial]);
    else group.push(dial);
  }
  return [...groups.values()];
}
