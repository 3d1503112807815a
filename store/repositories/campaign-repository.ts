import type { EntityManager } from 'typeorm';
import type { CampaignContactResult, CampaignContactState } from '../../contract/campaigns';
import { Agent } from '../entities/agent';
import { Campaign } from '../entities/campaign';
import { CampaignEventRow } from '../entities/campaign-event';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { prepared } from '../prepared';
import { FOR_SHARE } from '../row-lock';
import { rowTable } from '../rows';

export type CampaignFields = Omit<
  Campaign,
  | 'id'
  | 'orgId'
  | 'agentId'
  | 'version'
  | 'settledVersion'
  | 'statusReason'
  | 'runningSince'
  | 'pace'
  | 'renewal'
  | 'rulesSeen'
  | 'rulesSeenAt'
  | 'variableNames'
  | 'createdAt'
  | 'updatedAt'
  | 'deletedAt'
> & { readonly agentId: string };
export type CampaignPatch = PatchOf<CampaignFields>;

/** What is not there, its owner can only find out by asking for it. */
export interface CampaignParts {
  readonly agent: { readonly firstMessage: string; readonly instructions: readonly string[] } | null;
  /** Those that it may call by: its own, or the agent's. */
  readonly trunks: readonly CampaignTrunk[];
}

export interface CampaignTrunk {
  readonly id: string;
  readonly callerNumber: string;
  readonly callerNumbers: readonly string[];
  readonly maxCallsPerSecond: number | null;
  readonly allowedCountries: readonly string[] | null;
}

export interface StateCount {
  readonly state: CampaignContactState;
  readonly result: CampaignContactResult | null;
  /** Of those that a look has left out; else null. */
  readonly reason: string | null;
  readonly contacts: number;
  readonly attempts: number;
}

const STATS = prepared(
  `SELECT state, nullif(result, '') AS result, nullif(reason, '') AS reason, sum(contacts)::float8 AS contacts,
     sum(attempts)::float8 AS attempts
   FROM campaign_tallies WHERE campaign_id = $1 GROUP BY state, result, reason HAVING sum(contacts) <> 0
   ORDER BY state, result, reason`,
);
const PARTS = prepared(
  `SELECT
     (SELECT json_build_object('firstMessage', a.first_message, 'instructions', a.instructions)
      FROM agents a WHERE a.id = c.agent_id AND a.org_id = c.org_id) AS agent,
     coalesce((SELECT json_agg(json_build_object('id', t.id, 'callerNumber', t.caller_number, 'callerNumbers',
        t.caller_numbers, 'maxCallsPerSecond', t.max_calls_per_second, 'allowedCountries', t.allowed_countries)
        ORDER BY t.created_at, t.id)
      FROM outbound_trunks t WHERE t.org_id = c.org_id AND CASE WHEN c.trunk_ids IS NULL
        THEN t.id = (SELECT outbound_trunk_id FROM agents WHERE id = c.agent_id AND org_id = c.org_id)
        ELSE t.id = ANY(c.trunk_ids) END), '[]') AS trunks
   FROM campaigns c WHERE c.id = $2 AND c.org_id = $1`,
);
const DELETE = `UPDATE campaigns SET deleted_at = now(), version = version + 1 WHERE id = $1 AND org_id = $2`;
const NAME_VARIABLES = `UPDATE campaigns SET variable_names = variable_names || ARRAY(
    SELECT n FROM unnest($3::text[]) WITH ORDINALITY AS given (n, at) WHERE n <> ALL(variable_names) ORDER BY at)
  WHERE id = $1 AND org_id = $2 AND NOT variable_names @> $3::text[] AND deleted_at IS NULL`;
const IN_JSON: ReadonlySet<string> = new Set<keyof CampaignFields>([
  'dialWindow',
  'retry',
  'caps',
  'variables',
  'autoPause',
  'recurrence',
]);

export class CampaignRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Newest first. */
  async list(orgId: string, request: PageRequest): Promise<Page<Campaign>> {
    const where = [{ orgId, deletedAt: null }];
    return newestPage<'createdAt', Campaign>(this.#session.manager, {
      entity: Campaign,
      where,
      request,
      time: 'createdAt',
    });
  }

  async find(orgId: string, id: string): Promise<Campaign | null> {
    return isUuid(id) ? this.#find(this.#session.manager, orgId, id, '') : null;
  }

  /** @throws StoreError `not_found` (details.resource `agent` or `outbound_trunk`) */
  async create(manager: EntityManager, orgId: string, fields: CampaignFields): Promise<Campaign> {
    await assertParts(manager, orgId, fields);
    const id = uuidV7();
    await manager.insert(Campaign, { ...fields, id, orgId });
    const campaign = await this.#find(manager, orgId, id, '');
    if (campaign === null) throw new Error('the campaign was not written');
    return campaign;
  }

  /**
   * What it was, and what it is. Null when the organisation has no such campaign.
   * @param check of what it was; throws where the patch does not fit that
   * @throws StoreError as `create`
   */
  async update(
    manager: EntityManager,
    orgId: string,
    id: string,
    patch: CampaignPatch,
    check: (before: Campaign) => void,
  ): Promise<{ readonly before: Campaign; readonly after: Campaign } | null> {
    if (!isUuid(id)) return null;
    const given = fieldsSet<CampaignFields>(patch);
    await assertParts(manager, orgId, given);
    const before = await this.#find(manager, orgId, id, 'FOR NO KEY UPDATE');
    if (before === null) return null;
    check(before);
    const { columns, list, read } = rowTable(manager, Campaign);
    const fields = Object.entries(given);
    const set = fields.map(([name], n) => `${columns[name]} = $${n + 3}${IN_JSON.has(name) ? '::jsonb' : ''}`);
    const values = fields.map(([name, value]) => (IN_JSON.has(name) && value !== null ? JSON.stringify(value) : value));
    const text = `UPDATE campaigns SET ${['updated_at = now()', 'version = version + 1', ...set].join(', ')}
      WHERE id = $1 AND org_id = $2 RETURNING ${list}`;
    const [[after]]: [Campaign[]] = await manager.query(text, [id, orgId, ...values]);
    if (after === undefined) return null;
    return { before, after: read(after) };
  }

  /** Those that call with an agent, or will. */
  async liveOf(orgId: string, agentId: string): Promise<Campaign[]> {
    const { select, read } = rowTable(this.#session.manager, Campaign);
    const text = prepared(`${select} WHERE agent_id = $2 AND org_id = $1 AND deleted_at IS NULL
      AND status IN ('scheduled', 'running', 'paused') ORDER BY created_at, id`);
    const rows: Campaign[] = await this.#session.manager.query(text, [orgId, agentId]);
    return rows.map(read);
  }

  /** As it is, until the commit: nobody else changes it. */
  async findForChange(manager: EntityManager, orgId: string, id: string): Promise<Campaign | null> {
    return isUuid(id) ? this.#find(manager, orgId, id, 'FOR NO KEY UPDATE') : null;
  }

  /** Its contacts are removed later, some thousands at a time (`purge`). Null when the organisation has no such campaign. */
  async delete(manager: EntityManager, orgId: string, id: string): Promise<Campaign | null> {
    if (!isUuid(id)) return null;
    const before = await this.#find(manager, orgId, id, 'FOR UPDATE');
    if (before !== null) await manager.query(DELETE, [id, orgId]);
    return before;
  }

  /** What it calls with, as it is now. */
  async parts(orgId: string, id: string): Promise<CampaignParts> {
    const rows: CampaignParts[] = await this.#session.manager.query(PARTS, [orgId, id]);
    return rows[0] ?? { agent: null, trunks: [] };
  }

  /** How many of its contacts are in each state, exactly: counted as they change. */
  async counts(id: string): Promise<StateCount[]> {
    return this.#session.manager.query(STATS, [id]);
  }

  /** Its timeline, newest first. */
  async events(orgId: string, campaignId: string, request: PageRequest): Promise<Page<CampaignEventRow>> {
    return newestPage<'at', CampaignEventRow>(this.#session.manager, {
      entity: CampaignEventRow,
      where: [{ campaignId, orgId }],
      of: campaignId,
      request,
      time: 'at',
    });
  }

  /** Removes some of what deleted campaigns have left, of every organisation; 0 when nothing is left. */
  async purge(limit = 5000): Promise<number> {
    const rows: { removed: number }[] = await this.#session.manager.query('SELECT purge_campaigns($1) AS removed', [
      limit,
    ]);
    return rows[0]?.removed ?? 0;
  }

  async #find(
    manager: EntityManager,
    orgId: string,
    id: string,
    lock: '' | 'FOR NO KEY UPDATE' | 'FOR UPDATE',
  ): Promise<Campaign | null> {
    const { select, read } = rowTable(manager, Campaign);
    const text = prepared(`${select} WHERE id = $1 AND org_id = $2 AND deleted_at IS NULL ${lock}`);
    const [row]: Campaign[] = await manager.query(text, [id, orgId]);
    return row === undefined ? null : read(row);
  }
}

/** Held until the commit: a deletion meanwhile waits, and then finds this campaign. */
async function assertParts(manager: EntityManager, orgId: string, fields: CampaignPatch): Promise<void> {
  for (const id of [...new Set(fields.trunkIds ?? [])].sort()) {
    const found = await manager.findOne(OutboundTrunk, { where: { id, orgId }, lock: FOR_SHARE, select: { id: true } });
    if (found === null) throw new StoreError('not_found', 'no such trunk', { resource: 'outbound_trunk', id });
  }
  if (fields.agentId === undefined) return;
  const where = { id: fields.agentId, orgId };
  const agent = await manager.findOne(Agent, { where, lock: FOR_SHARE, select: { id: true } });
  if (agent === null) throw new StoreError('not_found', 'no such agent', { resource: 'agent', id: fields.agentId });
}

/** Names that contacts come with, beside those that others came with: columns of its report, and what its texts may use. */
export async function nameVariables(
  manager: EntityManager,
  { orgId, id }: { readonly orgId: string; readonly id: string },
  names: readonly string[],
): Promise<void> {
  if (names.length > 0) await manager.query(NAME_VARIABLES, [id, orgId, names]);
}

/**
 * Of the campaigns that use what is being deleted, after that is locked.
 * @param change SQL, with $1 for what is deleted, as `condition`
 */
export async function detachCampaigns(
  manager: EntityManager,
  change: string,
  condition: string,
  orgId: string,
  id: string,
): Promise<{ readonly id: string; readonly name: string }[]> {
  const [rows]: [{ id: string; name: string }[]] = await manager.query(
    `UPDATE campaigns SET ${change}, version = version + 1, updated_at = now()
     WHERE id = ANY(ARRAY(SELECT id FROM campaigns WHERE ${condition} AND org_id = $2 AND deleted_at IS NULL
       ORDER BY id FOR NO KEY UPDATE))
     RETURNING id, name`,
    [id, orgId],
  );
  return rows;
}
