import { isUuid } from '../ids';
import { countryOf } from '../routing/country';
import type { StoreSession } from '../organisation-scope';

/** What a call needs to know of the organisation that places it. */
export interface Caller {
  /** Null when the organisation has no such agent. */
  readonly agent: CallingAgent | null;
  readonly trunks: readonly CallingTrunk[];
  /** One of its verified numbers is in the country that is asked for; those of its inbound trunk are verified too. */
  readonly hasNumberThere: boolean;
  /** ISO codes of the countries that the organisation may call; null: as the server allows. */
  readonly allowedCountries: readonly string[] | null;
}

interface CallingTrunk {
  readonly id: string;
  /** The one that calls come from where they do not say, and the others that they may. */
  readonly callerNumber: string;
  readonly callerNumbers: readonly string[];
  /** ISO codes; null: as organisation and server allow. */
  readonly allowedCountries: readonly string[] | null;
}

interface CallingAgent {
  readonly id: string;
  readonly language: readonly string[];
  readonly firstMessage: string;
  readonly outboundTrunkId: string | null;
  readonly maxCallDurationSeconds: number;
}

/**
 * One statement for all of it: the callee's phone waits for every round trip. Of its numbers, of which there may be very
 * many, the first one of the country or after it is read: asked with `=`, PostgreSQL may look for one from the table's start.
 */
const LOOK_UP = `
  SELECT
    (SELECT json_build_object('id', id, 'language', language, 'firstMessage', first_message,
       'outboundTrunkId', outbound_trunk_id, 'maxCallDurationSeconds', max_call_duration_seconds)
     FROM agents WHERE id = $2 AND org_id = $1) AS agent,
    coalesce((SELECT json_agg(json_build_object('id', id, 'callerNumber', caller_number,
       'callerNumbers', caller_numbers, 'allowedCountries', allowed_countries) ORDER BY created_at, id)
     FROM outbound_trunks WHERE org_id = $1), '[]') AS trunks,
    coalesce((SELECT country FROM phone_numbers WHERE org_id = $1 AND status = 'verified' AND country >= $3
       ORDER BY country LIMIT 1) = $3, false) AS "hasNumberThere",
    (SELECT limits->'allowedCountries' FROM organisations WHERE id = $1) AS "allowedCountries"`;

/** Of each country the index is asked for the first entry behind it: an organisation may have very many numbers, in few countries. */
const OWN_COUNTRIES = `
  WITH RECURSIVE own AS (
    (SELECT country FROM phone_numbers WHERE org_id = $1 AND status = 'verified' AND country IS NOT NULL
     ORDER BY country LIMIT 1)
    UNION ALL
    SELECT (SELECT n.country FROM phone_numbers n WHERE n.org_id = $1 AND n.status = 'verified' AND n.country > o.country
      ORDER BY n.country LIMIT 1)
    FROM own o WHERE o.country IS NOT NULL)
  SELECT ARRAY(SELECT country FROM own WHERE country IS NOT NULL) AS countries,
    ARRAY(SELECT DISTINCT unnest(array_prepend(caller_number, caller_numbers)) FROM outbound_trunks
      WHERE org_id = $1) AS "callerNumbers"`;

export class CallerRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * @param agentId null for a call that no agent makes
   * @param country ISO code of where the call goes; null where that is no country.
   */
  async find(orgId: string, agentId: string | null, country: string | null): Promise<Caller> {
    const parameters = [orgId, agentId !== null && isUuid(agentId) ? agentId : null, country];
    const rows: Caller[] = await this.#session.manager.query(LOOK_UP, parameters);
    return rows[0] ?? { agent: null, trunks: [], hasNumberThere: false, allowedCountries: null };
  }

  /** ISO codes, sorted: of its verified numbers and of those that its trunks call from. They decide where the server names none. */
  async countries(orgId: string): Promise<string[]> {
    const rows: { countries: string[]; callerNumbers: string[] }[] = await this.#session.manager.query(OWN_COUNTRIES, [
      orgId,
    ]);
    const { countries = [], callerNumbers = [] } = rows[0] ?? {};
    const ofCallers = callerNumbers.map(countryOf).filter((country) => country !== null);
    return [...new Set([...countries, ...ofCallers])].toSorted();
  }
}
