/**
 * How a campaign's contacts come to be called: claimed, put off or left out. Each change is one statement that names what it
 * presumes, so that two workers, or one that repeats itself, never claim a contact twice.
 *
 * `nowMs` is the caller's clock everywhere: a simulated one sees its own instants.
 */
import type { CampaignContactResult } from '../../contract/campaigns';
import type { ContactNote } from '../campaigns/contact-claim';
import { Campaign } from '../entities/campaign';
import { violatedUnique } from '../errors';
import { uuidV8 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowTable } from '../rows';
import { timestamp } from './call-row';

/** All that a turn begins with. */
export interface TurnStanding extends TurnRemainder {
  readonly campaign: Campaign;
  /** Null when it was deleted. */
  readonly agent: {
    readonly firstMessage: string;
    readonly instructions: readonly string[];
    readonly maxCallDurationSeconds: number;
  } | null;
  /** Those that it may call by: its own, or the agent's. */
  readonly trunks: readonly DiallingTrunk[];
  /** Slots of the organisation that are free; null: no limit. */
  readonly organisationFree: number | null;
  /** ISO codes of the countries that the organisation may call; null: as the server allows. */
  readonly allowedCountries: readonly string[] | null;
  /** Of those of whom no INVITE can have left: the turns that have claimed them, and since when the first waits, epoch ms. */
  readonly undialledTurns: readonly string[];
  readonly undialledSinceMs: number | null;
}

/** What is left to be done. */
export interface TurnRemainder {
  /** Contacts that may still be called, those under way among them. */
  readonly open: number;
  /** Contacts with a call under way. */
  readonly calling: number;
  /** When the next contact is due; epoch ms; null: none is. */
  readonly nextDueMs: number | null;
}

export interface DiallingTrunk {
  readonly id: string;
  readonly callerNumber: string;
  readonly callerNumbers: readonly string[];
  readonly allowedCountries: readonly string[] | null;
  readonly maxCallsPerSecond: number | null;
  readonly maxConcurrentCalls: number | null;
  readonly leases: number;
  readonly undialled: number;
  readonly admitted: number;
  readonly coolMs: number;
}

/** A contact to be claimed for the call with the number `calls` and the id `callId`. */
export interface WantedContact {
  readonly id: string;
  readonly calls: number;
  readonly callId: string;
  readonly trunkId: string;
}

/** A contact whose call is to be started. */
export interface ClaimedContact extends WantedContact, ContactTexts {
  readonly phoneNumber: string;
}

/** What of a contact fills the texts of its call. */
export interface ContactTexts {
  readonly id: string;
  readonly name: string | null;
  readonly variables: Readonly<Record<string, string>>;
}

export interface MovedContact {
  readonly id: string;
  /** See `DueContact`: a contact that was changed since is looked at again. */
  readonly seen: string;
  /** Null: it is due at `dueAtMs`. */
  readonly result: CampaignContactResult | null;
  readonly dueAtMs: number | null;
  readonly note: ContactNote;
}

/** An INVITE leaves within this after its admission, or not at all. */
const SENT_WITHIN = `interval '3 seconds'`;

/** Columns. Of each priority the one that is due first is looked for: none of the entries before them is read. */
const REMAINDER_OF = (campaign: string): string => `
  (WITH RECURSIVE priorities AS (
     (SELECT priority FROM campaign_contacts WHERE campaign_id = ${campaign} AND due_at IS NOT NULL ORDER BY priority DESC LIMIT 1)
     UNION ALL
     SELECT (SELECT c.priority FROM campaign_contacts c WHERE c.campaign_id = ${campaign} AND c.due_at IS NOT NULL
        AND c.priority < p.priority ORDER BY c.priority DESC LIMIT 1)
     FROM priorities p WHERE p.priority IS NOT NULL)
   SELECT extract(epoch FROM min((SELECT c.due_at FROM campaign_contacts c WHERE c.campaign_id = ${campaign}
     AND c.priority = p.priority AND c.due_at IS NOT NULL ORDER BY c.due_at LIMIT 1))) * 1000
   FROM priorities p WHERE p.priority IS NOT NULL)::float8 AS "nextDueMs",
  coalesce((SELECT sum(contacts) FROM campaign_tallies WHERE campaign_id = ${campaign} AND state <> 'done'), 0)::float8 AS open,
  coalesce((SELECT sum(contacts) FROM campaign_tallies WHERE campaign_id = ${campaign} AND state = 'calling'), 0)::float8 AS calling`;

const REMAINDER = prepared(`SELECT ${REMAINDER_OF('$1')}`);

const STANDING = (campaign: string): string => `
  WITH started AS MATERIALIZED (
     SELECT c.trunk_id, c.turn, c.claimed_at, a.state IS NOT NULL AS admitted FROM campaign_contacts c LEFT JOIN LATERAL (
       SELECT state, created_at FROM call_attempts WHERE call_id = c.call_id AND state <> 'not_sent' LIMIT 1) a ON true
     WHERE c.campaign_id = $2 AND c.state = 'calling'
       AND (a.state IS NULL OR (a.state = 'intended' AND a.created_at > $3::timestamptz - ${SENT_WITHIN}))),
   undialled AS (SELECT trunk_id, turn, claimed_at FROM started WHERE NOT admitted)
   SELECT ${campaign},
     (SELECT json_build_object('firstMessage', a.first_message, 'instructions', a.instructions,
        'maxCallDurationSeconds', a.max_call_duration_seconds)
      FROM agents a WHERE a.id = k.agent_id AND a.org_id = k.org_id) AS agent,
     coalesce((SELECT json_agg(json_build_object('id', t.id, 'callerNumber', t.caller_number, 'callerNumbers',
        t.caller_numbers, 'allowedCountries', t.allowed_countries, 'maxCallsPerSecond', t.max_calls_per_second,
        'maxConcurrentCalls', t.max_concurrent_calls,
        'leases', (SELECT count(*) FROM capacity_leases l WHERE l.trunk_id = t.id),
        'undialled', (SELECT count(*) FROM undialled u WHERE u.trunk_id = t.id),
        'admitted', (SELECT count(*) FROM started s WHERE s.trunk_id = t.id AND s.admitted),
        'coolMs', coalesce((SELECT greatest(0, extract(epoch FROM p.cool_until - $3::timestamptz) * 1000)
          FROM trunk_capacity p WHERE p.trunk_id = t.id AND p.cool_until > $3::timestamptz), 0)) ORDER BY t.created_at, t.id)
      FROM outbound_trunks t WHERE t.org_id = k.org_id AND CASE WHEN k.trunk_ids IS NULL
        THEN t.id = (SELECT outbound_trunk_id FROM agents WHERE id = k.agent_id AND org_id = k.org_id)
        ELSE t.id = ANY(k.trunk_ids) END), '[]') AS trunks,
     (SELECT greatest(0, (o.limits->>'concurrentCalls')::integer - (SELECT count(*) FROM capacity_leases l WHERE l.org_id = o.id))::int
      FROM organisations o WHERE o.id = k.org_id AND o.limits->>'concurrentCalls' IS NOT NULL) AS "organisationFree",
     (SELECT o.limits->'allowedCountries' FROM organisations o WHERE o.id = k.org_id) AS "allowedCountries",
     ARRAY(SELECT DISTINCT turn FROM undialled WHERE turn IS NOT NULL) AS "undialledTurns",
     (SELECT extract(epoch FROM min(claimed_at)) * 1000 FROM undialled)::float8 AS "undialledSinceMs",
     ${REMAINDER_OF('k.id')}
   FROM campaigns k WHERE k.id = $2 AND k.org_id = $1 AND k.deleted_at IS NULL`;

/**
 * Rows by their ids: of an array that it does not know the planner expects few. Joined alone, it would take them for many, and
 * go through all that are due.
 */
const AMONG = (rows: string): string => `c.id = ANY(ARRAY(SELECT id FROM ${rows}))`;

/** In the order of their ids, as everything that locks several contacts; whom somebody else has is passed over. */
const CLAIM = prepared(
  `WITH wanted AS (SELECT * FROM jsonb_to_recordset($4::jsonb) AS w (id uuid, calls smallint, "callId" uuid, "trunkId" uuid)),
   free AS (
     SELECT c.id FROM campaign_contacts c JOIN wanted w ON w.id = c.id
     WHERE ${AMONG('wanted')} AND c.org_id = $1 AND c.campaign_id = $2 AND c.state IN ('pending', 'waiting')
       AND c.due_at <= $6 AND c.calls = w.calls - 1
       AND NOT EXISTS (SELECT FROM campaign_contacts o WHERE o.org_id = $1 AND o.phone_number = c.phone_number AND o.state = 'calling')
       AND EXISTS (SELECT FROM campaigns k WHERE k.id = $2 AND k.status = 'running' AND k.version = $5)
     ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED)
   UPDATE campaign_contacts c SET state = 'calling', due_at = NULL, calls = w.calls, turn = $3, call_id = w."callId",
     trunk_id = w."trunkId", claimed_at = $6
   FROM wanted w WHERE w.id = c.id AND ${AMONG('free')}
   RETURNING c.id, c.name, c.variables`,
);

/**
 * Counts what a statement has done to contacts in the timeline: `tally` has how many (n) by type and reason; $1 is the organisation, $2
 * the campaign. One event for each and for each hour: its id follows from both.
 */
const NOTED = (events: string, at: string): string => `
  noted AS (
    INSERT INTO campaign_events AS e (id, org_id, campaign_id, at, type, data)
    SELECT g.id, $1, $2, ${at}, g.type, jsonb_build_object('reason', g.reason, 'contacts', t.n)
    FROM jsonb_to_recordset(${events}::jsonb) AS g (id uuid, type text, reason text)
    JOIN tally t ON t.type = g.type AND t.reason = g.reason
    ON CONFLICT (id) DO UPDATE SET data = e.data
      || jsonb_build_object('contacts', (e.data->>'contacts')::int + (excluded.data->>'contacts')::int))`;

/** Whoever is due no more by then was moved by somebody else; and who was changed, decided by what is no longer so. */
const MOVE = prepared(
  `WITH moved AS (
     SELECT * FROM jsonb_to_recordset($3::jsonb) AS m (id uuid, seen text, result text, "dueAt" timestamptz, note jsonb)),
   free AS (
     SELECT c.id FROM campaign_contacts c JOIN moved m ON m.id = c.id
     WHERE ${AMONG('moved')} AND c.org_id = $1 AND c.campaign_id = $2 AND c.state IN ('pending', 'waiting')
       AND c.due_at <= $4 AND c.xmin::text = m.seen
     ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED),
   done AS (
     UPDATE campaign_contacts c SET state = CASE WHEN m.result IS NULL THEN c.state ELSE 'done' END, result = m.result,
       due_at = m."dueAt", last_decision = m.note
     FROM moved m WHERE m.id = c.id AND ${AMONG('free')}
     RETURNING CASE WHEN m.result IS NULL THEN 'put_off' ELSE 'left_out' END AS type, m.note->>'reason' AS reason),
   tally AS (SELECT type, reason, count(*)::int AS n FROM done GROUP BY type, reason),
   ${NOTED('$5', '$4')}
   SELECT coalesce(sum(n), 0)::int AS moved FROM tally`,
);

const CLAIMED = prepared(
  `SELECT id, calls, call_id AS "callId", trunk_id AS "trunkId", phone_number AS "phoneNumber", name, variables
   FROM campaign_contacts WHERE campaign_id = $2 AND org_id = $1 AND state = 'calling' AND turn = $3 ORDER BY id`,
);

const STUCK = prepared(
  `SELECT c.id, c.call_id AS "callId" FROM campaign_contacts c
   WHERE c.campaign_id = $2 AND c.org_id = $1 AND c.state = 'calling' AND c.claimed_at < $3
     AND NOT EXISTS (SELECT FROM calls WHERE calls.id = c.call_id) ORDER BY c.claimed_at LIMIT 100`,
);

const GIVE_BACK = `
  UPDATE campaign_contacts c SET
    state = CASE WHEN k.status = 'canceled' THEN 'done' WHEN c.attempts > 0 THEN 'waiting' ELSE 'pending' END,
    result = CASE WHEN k.status = 'canceled' THEN 'canceled' END,
    due_at = CASE WHEN k.status <> 'canceled' THEN $3::timestamptz END
  FROM campaigns k WHERE k.id = c.campaign_id AND c.id = $1 AND c.call_id = $2 AND c.state = 'calling' RETURNING c.id`;

const END = `WITH ended AS (
    SELECT id FROM campaign_contacts WHERE campaign_id = $2 AND org_id = $1 AND due_at IS NOT NULL
    AND state IN ('pending', 'waiting') ORDER BY id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED),
  done AS (
    UPDATE campaign_contacts c SET state = 'done', result = 'canceled', due_at = NULL, last_decision = $3::jsonb
    FROM ended WHERE c.id = ended.id RETURNING c.id),
  tally AS (SELECT 'left_out' AS type, $3::jsonb->>'reason' AS reason, count(*)::int AS n FROM done HAVING count(*) > 0),
  ${NOTED('$5', '$6')}
  SELECT coalesce(sum(n), 0)::int AS ended FROM tally`;

/** Told again within the same slot it is the same event, with the latest end. */
const COOLING = prepared(
  `INSERT INTO campaign_events AS e (id, org_id, campaign_id, at, type, data)
   SELECT g.id, $1, $2, $4, 'trunk_cool_down', jsonb_build_object('trunk_id', g."trunkId", 'until', g.until)
   FROM jsonb_to_recordset($3::jsonb) AS g (id uuid, "trunkId" uuid, until text)
   ON CONFLICT (id) DO UPDATE SET data = excluded.data WHERE e.data->>'until' < excluded.data->>'until'`,
);
/** As long as a carrier may stop a trunk with one answer. */
const COOLING_SLOT_MS = 300_000;

/** Contacts that are ended in one statement. */
const END_AT_ONCE = 5_000;

export class CampaignDiallingRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** A campaign, what it calls with, and what of it is taken. Null when there is no such campaign. */
  async standing(orgId: string, campaignId: string, nowMs: number): Promise<TurnStanding | null> {
    const { columns, read } = rowTable(this.#session.manager, Campaign);
    const list = Object.entries(columns).map(([property, column]) => `k.${column} AS "${property}"`);
    const text = prepared(STANDING(list.join(', ')));
    const parameters = [orgId, campaignId, timestamp(nowMs)];
    const rows: (Omit<TurnStanding, 'campaign'> & Campaign)[] = await this.#session.manager.query(text, parameters);
    const [row] = rows;
    if (row === undefined) return null;
    const { agent, trunks, organisationFree, allowedCountries, undialledTurns, undialledSinceMs } = row;
    const { open, calling, nextDueMs } = row;
    const room = { agent, trunks, organisationFree, allowedCountries, undialledTurns, undialledSinceMs };
    return { campaign: read(row), ...room, open, calling, nextDueMs };
  }

  /** What is left to be done, and when. */
  async remainder(campaignId: string): Promise<TurnRemainder> {
    const rows: TurnRemainder[] = await this.#session.manager.query(REMAINDER, [campaignId]);
    return rows[0] ?? { open: 0, calling: 0, nextDueMs: null };
  }

  /**
   * Those of the wanted that are this turn's from now on, with what is said to them: as it is now, whatever was read before. None when
   * the campaign does not run, or was changed: what was decided of them was decided by other rules.
   */
  async claim(
    orgId: string,
    campaignId: string,
    {
      turn,
      version,
      wanted,
      nowMs,
    }: { turn: string; version: number; wanted: readonly WantedContact[]; nowMs: number },
  ): Promise<ContactTexts[]> {
    if (wanted.length === 0) return [];
    const parameters = [orgId, campaignId, turn, JSON.stringify(wanted), version, timestamp(nowMs)];
    try {
      const [rows]: [ContactTexts[]] = await this.#session.manager.query(CLAIM, parameters);
      return rows;
    } catch (error) {
      if (violatedUnique(error) !== 'campaign_contacts_calling') throw error;
      // Another campaign has claimed one of the numbers at the same moment: one by one, and without that.
      if (wanted.length === 1) return [];
      const claimed: ContactTexts[] = [];
      for (const one of wanted) {
        claimed.push(...(await this.claim(orgId, campaignId, { turn, version, wanted: [one], nowMs })));
      }
      return claimed;
    }
  }

  /** Contacts that are due, and are called later or not any more. */
  async move(orgId: string, campaignId: string, moved: readonly MovedContact[], nowMs: number): Promise<void> {
    if (moved.length === 0) return;
    const rows = moved.map(({ dueAtMs, ...move }) => ({ ...move, dueAt: timestamp(dueAtMs) }));
    const notes = moved.map(({ result, note }) => [result === null ? 'put_off' : 'left_out', note.reason] as const);
    const events = hourlyEvents(campaignId, notes, nowMs);
    const parameters = [orgId, campaignId, jsonbParameter(rows), timestamp(nowMs), JSON.stringify(events)];
    await this.#session.manager.query(MOVE, parameters);
  }

  /** Carriers that want to be left in peace, in the campaign's timeline. */
  async noteCoolDowns(
    orgId: string,
    campaignId: string,
    trunks: readonly Pick<DiallingTrunk, 'id' | 'coolMs'>[],
    nowMs: number,
  ): Promise<void> {
    const slot = String(Math.floor(nowMs / COOLING_SLOT_MS));
    const events = trunks.map(({ id: trunkId, coolMs }) => ({
      id: uuidV8('campaign-cool-down', campaignId, trunkId, slot),
      trunkId,
      until: new Date(nowMs + coolMs).toISOString(),
    }));
    if (events.length === 0) return;
    await this.#session.manager.query(COOLING, [orgId, campaignId, JSON.stringify(events), timestamp(nowMs)]);
  }

  /** Those of a turn whose calls are under way, or were to be. */
  async claimedBy(orgId: string, campaignId: string, turn: string): Promise<ClaimedContact[]> {
    return this.#session.manager.query(CLAIMED, [orgId, campaignId, turn]);
  }

  /** Those that were claimed before an instant and whose call has no row: it may never have been started. */
  async stuck(
    orgId: string,
    campaignId: string,
    claimedBeforeMs: number,
  ): Promise<{ readonly id: string; readonly callId: string }[]> {
    return this.#session.manager.query(STUCK, [orgId, campaignId, timestamp(claimedBeforeMs)]);
  }

  /** No workflow knows the call: should it be started nevertheless, it is not this contact's any more. */
  async giveBack(id: string, callId: string, nowMs: number): Promise<boolean> {
    const [rows]: [unknown[]] = await this.#session.manager.query(GIVE_BACK, [id, callId, timestamp(nowMs)]);
    return rows.length === 1;
  }

  /** Some of those that are not called any more because the campaign has ended; 0: none are left. */
  async endContacts(orgId: string, campaignId: string, note: ContactNote): Promise<number> {
    const atMs = Date.parse(note.at);
    const events = JSON.stringify(hourlyEvents(campaignId, [['left_out', note.reason]], atMs));
    const parameters = [orgId, campaignId, jsonbParameter(note), END_AT_ONCE, events, timestamp(atMs)];
    const rows: { ended: number }[] = await this.#session.manager.query(END, parameters);
    return rows[0]?.ended ?? 0;
  }
}

type BulkMove = readonly [type: 'put_off' | 'left_out', reason: string];

/** Each kind of move once, with the event of this hour that counts it. */
function hourlyEvents(campaignId: string, moves: readonly BulkMove[], nowMs: number): object[] {
  const hour = new Date(nowMs).toISOString().slice(0, 13);
  const kinds = new Map(moves.map(([type, reason]) => [`${type} ${reason}`, { type, reason }]));
  return [...kinds.values()].map(({ type, reason }) => ({
    id: uuidV8('campaign-moves', campaignId, type, reason, hour),
    type,
    reason,
  }));
}
