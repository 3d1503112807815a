import type { EntityManager } from 'typeorm';
import type { CampaignContactResult, CampaignContactState } from '../../contract/campaigns';
import { CAMPAIGN_CONTACT_STATES } from '../../contract/campaigns';
import type { ReadContact } from '../campaigns/contact-row';
import { clockZoneOf } from '../campaigns/number-zones';
import { CampaignContact } from '../entities/campaign-contact';
import { isUuid } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { prepared } from '../prepared';
import { rowTable } from '../rows';

export interface CampaignContactFilter extends PageRequest {
  readonly state?: CampaignContactState | undefined;
  readonly result?: CampaignContactResult | undefined;
  /** E.164. */
  readonly phoneNumber?: string | undefined;
}

/** Where the walk over what is due goes on. */
export interface DuePosition {
  readonly priority: number;
  readonly dueAt: Date;
  readonly id: string;
}

/** Somebody who may be called, with what speaks against it in the store. */
export interface DueContact {
  readonly id: string;
  /** The version of its row: what is decided of it counts for this one alone. */
  readonly seen: string;
  readonly phoneNumber: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly consentId: string | null;
  readonly priority: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly dueAt: Date;
  readonly attempts: number;
  /** Calls that were started for it. */
  readonly calls: number;
  /** On the list of the organisation, or of the server. */
  readonly suppressed: boolean;
  /** The organisation has a call with the number now: of another campaign, or of none, to it or from it. */
  readonly calling: boolean;
  /** When the number was dialled by any campaign of the organisation, in the period asked for. */
  readonly dialledAt: readonly Date[];
}

/** As it is until the commit: whoever claims, moves or ends it waits, or passes it over. */
export interface HeldContact extends CampaignContact {
  /** A look has put it off or left it out, for what may be mended. */
  readonly passedOver: boolean;
}

/**
 * When a contact `c` was dialled by campaigns: an INVITE has left, or may have. What only met a network that had no room, and no
 * ringing tone, has disturbed nobody. A call that waits for room is dialled up to an hour after it was begun.
 */
export const DIALLED_AT = (orgId: string, since: string): string =>
  `SELECT a.created_at FROM calls d JOIN call_attempts a ON a.call_id = d.id AND a.state <> 'not_sent'
   WHERE d.org_id = ${orgId} AND d.to_number = c.phone_number AND d.campaign_id IS NOT NULL
     AND d.created_at > ${since}::timestamptz - interval '1 hour' AND a.created_at > ${since}::timestamptz
     AND (d.disposition IS DISTINCT FROM 'congestion'
       OR EXISTS (SELECT FROM call_events e WHERE e.call_id = d.id AND e.source = 'node' AND e.type = 'ringing'))`;
/**
 * Whether somebody of the organisation is speaking, or about to, with the number of a contact `c` that has no call of its own. Limited,
 * because PostgreSQL would else read all calls that are open into a table of its own, for a page of contacts.
 */
const IS_CALLED = (orgId: string): string =>
  `(EXISTS (SELECT FROM campaign_contacts o WHERE o.org_id = ${orgId} AND o.phone_number = c.phone_number AND o.state = 'calling')
    OR (SELECT true FROM calls l WHERE l.org_id = ${orgId} AND l.to_number = c.phone_number AND l.direction = 'outbound'
      AND l.ended_at IS NULL AND l.status <> 'scheduled' LIMIT 1) IS TRUE
    OR (SELECT true FROM calls l WHERE l.org_id = ${orgId} AND l.from_number = c.phone_number AND l.direction = 'inbound'
      AND l.ended_at IS NULL LIMIT 1) IS TRUE)`;
/** Whether a contact `c` is on the organisation's or the server's do-not-call list. */
export const IS_SUPPRESSED = (orgId: string): string =>
  `(EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = ${orgId} AND d.phone_number = c.phone_number)
    OR EXISTS (SELECT FROM global_dnc_entries g WHERE g.phone_number = c.phone_number))`;

/**
 * Whether the last look has put a contact `c` off or left it out, by rules or by what the contact says; no list of numbers, and no
 * call that was made since.
 */
export const IS_PASSED_OVER = `(c.last_decision->>'called' = 'false' AND c.last_decision->>'call_id' IS NULL
  AND coalesce((c.last_decision->>'at')::timestamptz >= c.claimed_at, true)
  AND (c.state IN ('pending', 'waiting') AND c.due_at > clock_timestamp()
    OR c.state = 'done' AND c.result IN ('suppressed', 'exhausted') AND c.last_decision->>'reason' <> 'suppressed'))`;
/** What is set of such a one once what it was passed over for is other: it is due as it was, and the next turn decides anew. */
export const DUE_AGAIN = `result = NULL, due_at = clock_timestamp(),
  state = CASE WHEN c.state <> 'done' THEN c.state WHEN c.attempts > 0 THEN 'waiting' ELSE 'pending' END`;

/**
 * The highest priority first, and in each who is due first: of every priority the entries that are due are read, not those
 * before them that are due later.
 */
const DUE = prepared(
  `WITH RECURSIVE priorities AS (
     (SELECT priority FROM campaign_contacts WHERE campaign_id = $2 AND due_at IS NOT NULL
        AND ($4::smallint IS NULL OR priority <= $4) ORDER BY priority DESC LIMIT 1)
     UNION ALL
     SELECT (SELECT c.priority FROM campaign_contacts c WHERE c.campaign_id = $2 AND c.due_at IS NOT NULL
        AND c.priority < p.priority ORDER BY c.priority DESC LIMIT 1)
     FROM priorities p WHERE p.priority IS NOT NULL
   )
   SELECT c.id, c.seen, c.phone_number AS "phoneNumber", c.name, c.time_zone AS "timeZone", c.consent_id AS "consentId",
     c.priority, c.variables, c.due_at AS "dueAt", c.attempts, c.calls,
     ${IS_SUPPRESSED('$1')} AS suppressed,
     ${IS_CALLED('$1')} AS calling,
     ARRAY(${DIALLED_AT('$1', '$7')}) AS "dialledAt"
   FROM priorities p CROSS JOIN LATERAL (
     SELECT c.*, c.xmin::text AS seen FROM campaign_contacts c WHERE c.campaign_id = $2 AND c.priority = p.priority AND c.due_at <= $3
       AND ($4::smallint IS NULL OR p.priority < $4 OR (c.due_at, c.id) > ($5, $6)) ORDER BY c.due_at, c.id LIMIT $8
   ) c
   ORDER BY c.priority DESC, c.due_at, c.id LIMIT $8`,
);
const LATER = prepared(`SELECT count(*)::int AS n FROM campaign_contacts WHERE campaign_id = $1 AND due_at > $2`);

export class CampaignContactRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Newest first. */
  async list(orgId: string, campaignId: string, filter: CampaignContactFilter): Promise<Page<CampaignContact>> {
    if (!isUuid(campaignId)) return { items: [], next: null };
    const { state, result, phoneNumber } = filter;
    const asked = {
      campaignId,
      orgId,
      ...(result === undefined ? {} : { result }),
      ...(phoneNumber === undefined ? {} : { phoneNumber }),
    };
    // By state alone there is an index in this order: of all states their lists are merged.
    const states = state === undefined ? (result ?? phoneNumber) === undefined : true;
    const wanted = state === undefined ? CAMPAIGN_CONTACT_STATES : [state];
    const where = states ? wanted.map((one) => ({ ...asked, state: one })) : [asked];
    return newestPage<'createdAt', CampaignContact>(this.#session.manager, {
      entity: CampaignContact,
      where,
      of: campaignId,
      request: filter,
      time: 'createdAt',
    });
  }

  /** In the order of their numbers, from behind one on: every one of them, page by page. */
  async inOrder(orgId: string, campaignId: string, after: string, limit: number): Promise<CampaignContact[]> {
    const { select, read } = rowTable(this.#session.manager, CampaignContact);
    const text = prepared(
      `${select} WHERE campaign_id = $1 AND org_id = $2 AND phone_number > $3 ORDER BY phone_number LIMIT $4`,
    );
    const rows: CampaignContact[] = await this.#session.manager.query(text, [campaignId, orgId, after, limit]);
    return rows.map(read);
  }

  /**
   * Those that are due by then, in the order in which they are called.
   * @param dialledSince from when on dials of their numbers are told
   */
  async due(
    orgId: string,
    campaignId: string,
    until: Date,
    { after, limit, dialledSince }: { after: DuePosition | null; limit: number; dialledSince: Date },
  ): Promise<DueContact[]> {
    const position = [after?.priority ?? null, after?.dueAt ?? null, after?.id ?? null];
    return this.#session.manager.query(DUE, [orgId, campaignId, until, ...position, dialledSince, limit]);
  }

  /** Null when the campaign, which is locked before it, has no such contact. */
  async findForChange(
    manager: EntityManager,
    { orgId, id: campaignId }: { readonly orgId: string; readonly id: string },
    id: string,
  ): Promise<HeldContact | null> {
    if (!isUuid(id)) return null;
    const { list, read } = rowTable(manager, CampaignContact);
    const text = prepared(
      `SELECT ${list}, coalesce(${IS_PASSED_OVER}, false) AS "passedOver" FROM campaign_contacts c
       WHERE id = $1 AND campaign_id = $2 AND org_id = $3 FOR NO KEY UPDATE`,
    );
    const [row]: HeldContact[] = await manager.query(text, [id, campaignId, orgId]);
    return row === undefined ? null : read(row);
  }

  /**
   * What somebody has to say of it, and nothing of what its campaign does with it.
   * @param again it is due at once; of one that was passed over
   */
  async change(
    manager: EntityManager,
    { id, orgId }: HeldContact,
    contact: ReadContact,
    { again }: { readonly again: boolean },
  ): Promise<CampaignContact> {
    const { name, timeZone, consentId, priority, variables } = contact;
    const { list, read } = rowTable(manager, CampaignContact);
    const text = prepared(
      `UPDATE campaign_contacts c SET name = $3, time_zone = $4, clock_zone = $5, consent_id = $6, priority = $7,
         variables = $8::jsonb${again ? `, ${DUE_AGAIN}` : ''}
       WHERE id = $1 AND org_id = $2 RETURNING ${list}`,
    );
    const values = [name, timeZone, clockZoneOf(contact), consentId, priority, jsonbParameter(variables)];
    const [[row]]: [CampaignContact[]] = await manager.query(text, [id, orgId, ...values]);
    if (row === undefined) throw new Error('the contact was not written');
    return read(row);
  }

  /** How many are due after that. */
  async countLater(campaignId: string, until: Date): Promise<number> {
    const rows: { n: number }[] = await this.#session.manager.query(LATER, [campaignId, until]);
    return rows[0]?.n ?? 0;
  }
}
