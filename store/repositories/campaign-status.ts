/** A campaign's moves from one state to the next, and its timeline: both in the transaction of whoever makes them. */
import type { EntityManager } from 'typeorm';
import type { CampaignEventType, CampaignStatus } from '../../contract/campaigns';
import type { Disposition } from '../../contract/endings';
import { Campaign } from '../entities/campaign';
import type { CampaignRenewal } from '../entities/campaign';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import { prepared } from '../prepared';
import { rowTable } from '../rows';

export interface NewCampaignEvent {
  /** Of what may be repeated; default: a new one. */
  readonly id?: string;
  readonly type: CampaignEventType;
  readonly data?: object;
}

export interface CampaignMove {
  /** It stays as it is in any other state. */
  readonly from: readonly CampaignStatus[];
  readonly to: CampaignStatus;
  readonly event: NewCampaignEvent;
  /** Why, where nobody has asked for it; for people. */
  readonly reason?: string;
}

interface CampaignKey {
  readonly orgId: string;
  readonly id: string;
}

const ADD_EVENT = prepared(
  `INSERT INTO campaign_events (id, org_id, campaign_id, at, type, data)
   VALUES ($1, $2, $3, clock_timestamp(), $4, $5::jsonb) ON CONFLICT (id) DO NOTHING RETURNING id`,
);

/** False: it was there before. */
export async function addCampaignEvent(
  manager: EntityManager,
  { orgId, id }: CampaignKey,
  event: NewCampaignEvent,
): Promise<boolean> {
  const { id: eventId = uuidV7(), type, data = {} } = event;
  const rows: unknown[] = await manager.query(ADD_EVENT, [eventId, orgId, id, type, jsonbParameter(data)]);
  return rows.length > 0;
}

/** What it is then; null when it is in no state to move from, or gone. */
export async function setCampaignStatus(
  manager: EntityManager,
  { orgId, id }: CampaignKey,
  { from, to, event, reason }: CampaignMove,
): Promise<Campaign | null> {
  const { list, read } = rowTable(manager, Campaign);
  const [[row]]: [Campaign[]] = await manager.query(
    `UPDATE campaigns SET status = $3, version = version + 1, updated_at = now(), status_reason = $4,
       running_since = CASE WHEN $3 = 'running' THEN greatest(clock_timestamp(), starts_at) ELSE running_since END,
       pace = CASE WHEN $3 = 'running' THEN 1 ELSE pace END
     WHERE id = $1 AND org_id = $2 AND status = ANY($5) AND deleted_at IS NULL RETURNING ${list}`,
    [id, orgId, to, reason ?? null, from],
  );
  if (row === undefined) return null;
  await addCampaignEvent(manager, { orgId, id }, event);
  return read(row);
}

/**
 * Contacts that are done are made due anew from now on; whom an earlier renewal has not reached yet, by this one.
 * @param passedOver also whom a look has put off or left out
 */
export async function renewContacts(
  manager: EntityManager,
  { orgId, id, renewal: earlier }: CampaignKey & Pick<Campaign, 'renewal'>,
  eventId: string,
  dispositions: readonly Disposition[] | null,
  { passedOver = false }: { readonly passedOver?: boolean } = {},
): Promise<void> {
  const both =
    earlier === null || dispositions === null || earlier.dispositions === null
      ? null
      : [...new Set([...earlier.dispositions, ...dispositions])];
  const renewal: CampaignRenewal = {
    eventId,
    since: new Date().toISOString(),
    dispositions: earlier === null ? dispositions : both,
    passedOver: passedOver || earlier?.passedOver === true,
    after: '',
  };
  await manager.query('UPDATE campaigns SET renewal = $3::jsonb WHERE id = $1 AND org_id = $2', [
    id,
    orgId,
    JSON.stringify(renewal),
  ]);
}
