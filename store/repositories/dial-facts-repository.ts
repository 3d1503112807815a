/** What is asked right before the INVITE of a campaign's call, and what is kept when it is not sent. */
import type { StoredCheck } from '../entities/contact-decision';
import { Campaign } from '../entities/campaign';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowTable } from '../rows';
import { DIALLED_AT, IS_SUPPRESSED } from './campaign-contact-repository';
import type { Caller } from './caller-repository';
import { timestamp } from './call-row';

/** What is asked right before an INVITE. */
export interface DialFacts {
  readonly campaign: Campaign;
  readonly agent: { readonly firstMessage: string; readonly instructions: readonly string[] } | null;
  readonly contact: {
    readonly phoneNumber: string;
    readonly name: string | null;
    readonly timeZone: string | null;
    readonly consentId: string | null;
    readonly variables: Readonly<Record<string, string>>;
    readonly suppressed: boolean;
    readonly dialledAt: readonly Date[];
  };
  readonly caller: Omit<Caller, 'agent'>;
}

/** One statement for all of it: the callee's phone waits for every round trip. */
const FACTS = (campaign: string): string => `
  SELECT ${campaign},
    (SELECT json_build_object('firstMessage', a.first_message, 'instructions', a.instructions)
     FROM agents a WHERE a.id = k.agent_id AND a.org_id = k.org_id) AS agent,
    c.phone_number AS "contactNumber", c.name AS "contactName", c.time_zone AS "contactZone", c.consent_id AS "contactConsent",
    c.variables AS "contactVariables", ${IS_SUPPRESSED('$1')} AS suppressed,
    ARRAY(${DIALLED_AT('$1', '$4')}) AS "dialledAt",
    coalesce((SELECT json_agg(json_build_object('id', t.id, 'callerNumber', t.caller_number, 'callerNumbers',
       t.caller_numbers, 'allowedCountries', t.allowed_countries) ORDER BY t.created_at, t.id)
     FROM outbound_trunks t WHERE t.org_id = $1), '[]') AS "callerTrunks",
    coalesce((SELECT n.country FROM phone_numbers n WHERE n.org_id = $1 AND n.status = 'verified' AND n.country >= $5
       ORDER BY n.country LIMIT 1) = $5, false) AS "hasNumberThere",
    (SELECT o.limits->'allowedCountries' FROM organisations o WHERE o.id = $1) AS "allowedCountries"
  FROM campaigns k JOIN campaign_contacts c ON c.campaign_id = k.id
  WHERE k.id = $2 AND k.org_id = $1 AND k.deleted_at IS NULL AND c.id = $3`;

interface FactsRow extends Campaign {
  readonly agent: DialFacts['agent'];
  readonly contactNumber: string;
  readonly contactName: string | null;
  readonly contactZone: string | null;
  readonly contactConsent: string | null;
  readonly contactVariables: Readonly<Record<string, string>>;
  readonly suppressed: boolean;
  readonly dialledAt: readonly Date[];
  readonly callerTrunks: Caller['trunks'];
  readonly hasNumberThere: boolean;
  readonly allowedCountries: Caller['allowedCountries'];
}

const REFUSED = prepared(
  `WITH noted AS (
     UPDATE campaign_contacts SET last_decision = $7::jsonb WHERE id = $3 AND call_id = $4 AND state = 'calling')
   INSERT INTO contact_decisions (id, org_id, campaign_id, contact_id, call_id, at, dialled, checks)
   VALUES ($5, $1, $2, $3, $4, $6, false, $8::jsonb)`,
);

export class DialFactsRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * Null when campaign or contact are gone.
   * @param since from when on dials of the number are told
   * @param country ISO code of where the number is
   */
  async facts(
    { orgId, campaignId, contactId }: { orgId: string; campaignId: string; contactId: string },
    since: Date,
    country: string | null,
  ): Promise<DialFacts | null> {
    const { columns, read } = rowTable(this.#session.manager, Campaign);
    const list = Object.entries(columns).map(([property, column]) => `k.${column} AS "${property}"`);
    const text = prepared(FACTS(list.join(', ')));
    const parameters = [orgId, campaignId, contactId, since, country];
    const rows: FactsRow[] = await this.#session.manager.query(text, parameters);
    const [row] = rows;
    if (row === undefined) return null;
    return {
      campaign: read(row),
      agent: row.agent,
      contact: {
        phoneNumber: row.contactNumber,
        name: row.contactName,
        timeZone: row.contactZone,
        consentId: row.contactConsent,
        variables: row.contactVariables,
        suppressed: row.suppressed,
        dialledAt: row.dialledAt,
      },
      caller: {
        trunks: row.callerTrunks,
        hasNumberThere: row.hasNumberThere,
        allowedCountries: row.allowedCountries,
      },
    };
  }

  /** A call that is not dialled: why, kept as evidence and with the contact. */
  async refused(
    call: { readonly orgId: string; readonly campaignId: string; readonly contactId: string; readonly callId: string },
    { reason, detail, checks }: { reason: string; detail: string; checks: readonly StoredCheck[] },
    nowMs: number,
  ): Promise<void> {
    const { orgId, campaignId, contactId, callId } = call;
    const note = { at: new Date(nowMs).toISOString(), called: false, reason, detail, call_id: callId };
    const key = [orgId, campaignId, contactId, callId, uuidV7(nowMs), timestamp(nowMs)];
    await this.#session.manager.query(REFUSED, [...key, jsonbParameter(note), jsonbParameter(checks)]);
  }
}
