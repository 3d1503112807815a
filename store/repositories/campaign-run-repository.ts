/** What a campaign's workflow does in the store beside dialling: of every organisation, as the workers see it. */
import type { EntityManager } from 'typeorm';
import type { CampaignOccasion, CampaignReference, CampaignStatus } from '../../contract/campaigns';
import { isDue, startsLater } from '../campaigns/campaign-times';
import type { ContactNote } from '../campaigns/contact-claim';
import { Campaign } from '../entities/campaign';
import type { CampaignRenewal } from '../entities/campaign';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowTable } from '../rows';
import { DUE_AGAIN, IS_PASSED_OVER } from './campaign-contact-repository';
import { addCampaignEvent, renewContacts, setCampaignStatus } from './campaign-status';

/** One that has, or should have, a workflow. */
export interface LiveCampaign extends CampaignReference {
  /** Its workflow has done what the row asks for. */
  readonly settled: boolean;
}

/** Longer than an API needs to tell a workflow itself. */
const UNTOLD_MS = 3_000;
const UNTOLD_SINCE = `clock_timestamp() - interval '${UNTOLD_MS} milliseconds'`;
/** An import that has written nothing for so long has lost its process. */
const IMPORT_SILENCE_MS = 60_000;

const OPEN_CONTACTS = prepared(
  `SELECT coalesce(sum(contacts) FILTER (WHERE state <> 'done'), 0)::float8 AS open FROM campaign_tallies WHERE campaign_id = $1`,
);
const IMPORTING = prepared(
  `SELECT FROM campaign_imports WHERE campaign_id = $1 AND status = 'running'
     AND updated_at > clock_timestamp() - interval '${IMPORT_SILENCE_MS} milliseconds' LIMIT 1`,
);
/**
 * A whole page of contacts is looked at, whoever of them is done: so each is looked at once.
 */
const RENEW = `
  WITH page AS MATERIALIZED (
    SELECT id, phone_number, org_id FROM campaign_contacts WHERE campaign_id = $1 AND phone_number > $2
    ORDER BY phone_number LIMIT $5),
  renewed AS (
    UPDATE campaign_contacts c SET state = 'waiting', result = NULL, due_at = clock_timestamp(), round_at = $3
    FROM page p WHERE c.id = p.id AND c.state = 'done' AND c.result NOT IN ('opted_out', 'suppressed')
      AND (c.round_at IS NULL OR c.round_at < $3) AND ($4::text[] IS NULL OR c.last_disposition = ANY($4))
      AND NOT EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = p.org_id AND d.phone_number = p.phone_number)
      AND NOT EXISTS (SELECT FROM global_dnc_entries d WHERE d.phone_number = p.phone_number)
    RETURNING c.id),
  again AS (
    UPDATE campaign_contacts c SET ${DUE_AGAIN}
    FROM page p WHERE $6 AND c.id = p.id AND ${IS_PASSED_OVER}
      AND NOT EXISTS (SELECT FROM renewed r WHERE r.id = c.id)
    RETURNING c.id)
  SELECT (SELECT max(phone_number) FROM page) AS last, (SELECT count(*)::int FROM page) AS seen,
    (SELECT count(*)::int FROM renewed) + (SELECT count(*)::int FROM again) AS renewed`;
const NOTE_RENEWED = `UPDATE campaign_events
  SET data = data || jsonb_build_object('contacts', coalesce((data->>'contacts')::int, 0) + $2) WHERE id = $1`;
const AFTER_BATCHES = prepared('SELECT FROM campaigns WHERE id = $1 FOR UPDATE');
/** The campaign's timeline counts them where it says that it was canceled. */
const CANCEL_CONTACTS = `
  WITH canceled AS (
    UPDATE campaign_contacts SET state = 'done', result = 'canceled', due_at = NULL, last_decision = $3::jsonb WHERE id IN (
      SELECT id FROM campaign_contacts WHERE campaign_id = $1 AND state IN ('pending', 'waiting') LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING id),
  counted AS (SELECT count(*)::int AS n FROM canceled),
  noted AS (
    UPDATE campaign_events SET data = data || jsonb_build_object('contacts', coalesce((data->>'contacts')::int, 0) + n)
    FROM counted WHERE n > 0 AND id = (
      SELECT id FROM campaign_events WHERE campaign_id = $1 AND type = 'canceled' ORDER BY at DESC, id DESC LIMIT 1))
  SELECT n FROM counted`;

export class CampaignRunRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Also a deleted one, as long as its row is there. */
  async find(campaignId: string): Promise<Campaign | null> {
    return find(this.#session.manager, campaignId);
  }

  /**
   * Those that call, or will, and those whose last change was not followed yet by who was told of it. One whose start has come and
   * that waits nevertheless (see `isDue`) is told again, whatever has become of its schedule.
   */
  async live(): Promise<LiveCampaign[]> {
    return this.#session.manager.query(
      `SELECT id AS "campaignId", org_id AS "orgId",
         (settled_version = version OR updated_at > ${UNTOLD_SINCE})
           AND (status = 'scheduled' AND starts_at < ${UNTOLD_SINCE} AND (running_since IS NULL OR running_since < starts_at))
             IS NOT TRUE AS settled
       FROM campaigns WHERE (status IN ('scheduled', 'running', 'paused') AND deleted_at IS NULL)
         OR (settled_version <> version AND status <> 'draft')`,
    );
  }

  /** Calls of it that wait for room. */
  async queuedCalls(campaignId: string): Promise<string[]> {
    const rows: { callId: string }[] = await this.#session.manager.query(
      `SELECT q.call_id AS "callId" FROM capacity_queue q JOIN calls c ON c.id = q.call_id WHERE c.campaign_id = $1`,
      [campaignId],
    );
    return rows.map(({ callId }) => callId);
  }

  /** Calls of it that nobody has answered yet, those that wait among them. */
  async unansweredCalls({ orgId, campaignId }: CampaignReference): Promise<string[]> {
    const rows: { callId: string }[] = await this.#session.manager.query(
      `SELECT id AS "callId" FROM calls WHERE org_id = $1 AND campaign_id = $2 AND ended_at IS NULL AND answered_at IS NULL`,
      [orgId, campaignId],
    );
    return rows.map(({ callId }) => callId);
  }

  /** That may still be called, those under way among them. */
  async openContacts(campaignId: string): Promise<number> {
    return openContacts(this.#session.manager, campaignId);
  }

  /** Some of those that wait for a call get none any more, a batch that was under way at the cancel among them; how many. */
  async cancelContacts(campaignId: string, limit: number): Promise<number> {
    const note: ContactNote = {
      at: new Date().toISOString(),
      called: false,
      reason: 'campaign_canceled',
      detail: 'The campaign was canceled',
    };
    // In a transaction of its own: batches hold the campaign's key, and those after it are refused.
    await this.#session.manager.query(AFTER_BATCHES, [campaignId]);
    const parameters = [campaignId, limit, jsonbParameter(note)];
    const rows: { n: number }[] = await this.#session.manager.query(CANCEL_CONTACTS, parameters);
    return rows[0]?.n ?? 0;
  }

  /** The next page of the renewal that is under way. False: there was none, or this was its last. */
  async renewSome(campaignId: string, limit: number): Promise<boolean> {
    return this.#session.manager.transaction(async (manager) => {
      const campaign = await find(manager, campaignId, 'FOR NO KEY UPDATE');
      if (campaign === null || campaign.renewal === null) return false;
      const { eventId, since, dispositions, after, passedOver = false } = campaign.renewal;
      const rows: { last: string | null; seen: number; renewed: number }[] = await manager.query(RENEW, [
        campaignId,
        after,
        since,
        dispositions,
        limit,
        passedOver,
      ]);
      const { last = null, seen = 0, renewed = 0 } = rows[0] ?? {};
      await manager.query(NOTE_RENEWED, [eventId, renewed]);
      const more = last !== null && seen === limit;
      const next: CampaignRenewal | null = more ? { ...campaign.renewal, after: last } : null;
      await manager.query('UPDATE campaigns SET renewal = $2::jsonb WHERE id = $1', [
        campaignId,
        next === null ? null : JSON.stringify(next),
      ]);
      return more;
    });
  }

  /** One that waits for nothing any more, because its times were changed, or have come meanwhile. */
  async startIfDue(campaignId: string): Promise<void> {
    await this.#session.manager.transaction(async (manager) => {
      const campaign = await find(manager, campaignId, 'FOR NO KEY UPDATE');
      if (campaign !== null) await startIfDue(manager, campaign);
    });
  }

  /**
   * It is over when nobody is left who may still be called: from its end on nobody is but who is on the phone, and imports do
   * not keep it. One that recurs waits for its next round.
   * Answers what it is then; null: it goes on.
   */
  async completeIfOver(campaignId: string): Promise<CampaignStatus | null> {
    return this.#session.manager.transaction(async (manager) => {
      // Imports hold its key: no batch comes in between.
      const campaign = await find(manager, campaignId, 'FOR UPDATE');
      if (campaign === null || campaign.deletedAt !== null || campaign.renewal !== null) return null;
      const { orgId, status, endsAt, recurrence } = campaign;
      const ended = endsAt !== null && endsAt.getTime() <= Date.now();
      if (!ended && status !== 'running') return null;
      if ((await openContacts(manager, campaignId)) > 0) return null;
      if (!ended && (await isImporting(manager, campaignId))) return null;
      const to = !ended && recurrence !== null ? 'scheduled' : 'completed';
      const event = { type: 'completed', data: { because: ended ? 'ends_at' : 'nobody_left' } } as const;
      const from = ['scheduled', 'running', 'paused'] as const;
      const moved = await setCampaignStatus(manager, { orgId, id: campaignId }, { from, to, event });
      return moved === null ? null : to;
    });
  }

  /**
   * Its time has come: to begin, or to call its list anew. Repeated with the same event it changes nothing.
   * Null: there is no such campaign any more.
   */
  async occur(
    { orgId, campaignId: id }: CampaignReference,
    kind: CampaignOccasion,
    eventId: string,
  ): Promise<true | null> {
    return this.#session.manager.transaction(async (manager) => {
      const campaign = await find(manager, id, 'FOR NO KEY UPDATE');
      if (campaign === null || campaign.deletedAt !== null) return null;
      const { endsAt, recurrence, renewal } = campaign;
      const nowMs = Date.now();
      if (startsLater(campaign, nowMs)) return true;
      if (endsAt !== null && endsAt.getTime() <= nowMs) return true;
      if (kind === 'start') {
        await startIfDue(manager, campaign);
        return true;
      }
      const from = ['scheduled', 'running'] as const;
      if (recurrence === null || !from.some((state) => state === campaign.status)) return true;
      if (!(await addCampaignEvent(manager, { orgId, id }, { id: eventId, type: 'recurred' }))) return true;
      await renewContacts(manager, { orgId, id, renewal }, eventId, recurrence.dispositions);
      await manager.query(
        `UPDATE campaigns SET status = 'running', version = version + 1, updated_at = now(), pace = 1,
           running_since = greatest(clock_timestamp(), starts_at) WHERE id = $1`,
        [id],
      );
      return true;
    });
  }

  /** Unless it has changed since. */
  async settled(campaignId: string, version: number): Promise<void> {
    await this.#session.manager.query('UPDATE campaigns SET settled_version = $2 WHERE id = $1 AND version = $2', [
      campaignId,
      version,
    ]);
  }
}

async function find(
  manager: EntityManager,
  campaignId: string,
  lock: '' | 'FOR NO KEY UPDATE' | 'FOR UPDATE' = '',
): Promise<Campaign | null> {
  const { select, read } = rowTable(manager, Campaign);
  const [row]: Campaign[] = await manager.query(prepared(`${select} WHERE id = $1 ${lock}`), [campaignId]);
  return row === undefined ? null : read(row);
}

async function startIfDue(manager: EntityManager, campaign: Campaign): Promise<void> {
  const { id, orgId } = campaign;
  if (!isDue(campaign, Date.now())) return;
  const event = { type: 'started', data: { by: 'starts_at' } } as const;
  await setCampaignStatus(manager, { orgId, id }, { from: ['scheduled'], to: 'running', event });
}

async function openContacts(manager: EntityManager, campaignId: string): Promise<number> {
  const rows: { open: number }[] = await manager.query(OPEN_CONTACTS, [campaignId]);
  return rows[0]?.open ?? 0;
}

async function isImporting(manager: EntityManager, campaignId: string): Promise<boolean> {
  const rows: unknown[] = await manager.query(IMPORTING, [campaignId]);
  return rows.length > 0;
}
