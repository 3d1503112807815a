import { isUuid } from '../ids';
import type { StoreSession } from '../organisation-scope';

/** What a call needs to know of the organisation that places it. */
export interface Caller {
  /** Null when the organisation has no such agent. */
  readonly agent: CallingAgent | null;
  readonly trunks: readonly { readonly id: string; readonly callerNumber: string }[];
  /** E.164: verified numbers, those of its inbound trunk and the caller numbers of its outbound trunks. */
  readonly ownNumbers: readonly string[];
  /** ISO codes of the countries that the organisation may call; null: as the server allows. */
  readonly allowedCountries: readonly string[] | null;
}

interface CallingAgent {
  readonly id: string;
  readonly language: readonly string[];
  readonly firstMessage: string;
  readonly outboundTrunkId: string | null;
  readonly maxCallDurationSeconds: number;
}

/** One statement for all of it: the callee's phone waits for every round trip. */
const LOOK_UP = `
  SELECT
    (SELECT json_build_object('id', id, 'language', language, 'firstMessage', first_message,
       'outboundTrunkId', outbound_trunk_id, 'maxCallDurationSeconds', max_call_duration_seconds)
     FROM agents WHERE id = $2 AND org_id = $1) AS agent,
    coalesce((SELECT json_agg(json_build_object('id', id, 'callerNumber', caller_number) ORDER BY created_at, id)
     FROM outbound_trunks WHERE org_id = $1), '[]') AS trunks,
    ARRAY(SELECT phone_number FROM phone_numbers WHERE org_id = $1 AND status = 'verified'
      UNION SELECT unnest(phone_numbers) FROM inbound_trunks WHERE org_id = $1
      UNION SELECT caller_number FROM outbound_trunks WHERE org_id = $1) AS "ownNumbers",
    (SELECT limits->'allowedCountries' FROM organisations WHERE id = $1) AS "allowedCountries"`;

export class CallerRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** @param agentId null for a call that no agent makes */
  async find(orgId: string, agentId: string | null): Promise<Caller> {
    const id = agentId !== null && isUuid(agentId) ? agentId : null;
    const rows: Caller[] = await this.#session.manager.query(LOOK_UP, [orgId, id]);
    return rows[0] ?? { agent: null, trunks: [], ownNumbers: [], allowedCountries: null };
  }
}
