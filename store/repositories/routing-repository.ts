import type { DataSource } from 'typeorm';
import type { RoutedOrganisation } from '../../contract/inbound-routing';
import { isUuid } from '../ids';
import { endingOf, MIN_NUMBER_DIGITS, readUserPart } from '../routing/dialed-number';
import { OwnNumbers } from '../routing/own-numbers';

export interface RoutedInvite {
  readonly dialedUser: string;
  readonly agentIdHeader: string | null;
}

interface Found {
  readonly hasTrunk: boolean;
  readonly namedAgentId: string | null;
  readonly oldestInboundAgentId: string | null;
  readonly numbers: readonly {
    readonly phoneNumber: string;
    readonly agentId: string | null;
    readonly verified: boolean;
  }[];
}

/**
 * Of the organisation's numbers only those that can be meant, which end like the dialled one, and one per beginning of
 * four characters: these tell whether all are of one country.
 */
const LOOK_UP = `
  WITH own AS (
    SELECT phone_number, agent_id, true AS verified FROM phone_numbers WHERE org_id = $1 AND status = 'verified'
    UNION ALL SELECT unnest(phone_numbers), NULL, false FROM inbound_trunks WHERE org_id = $1),
  asked AS (
    SELECT * FROM own WHERE right(phone_number, ${MIN_NUMBER_DIGITS}) = $3
    UNION ALL (SELECT DISTINCT ON (left(phone_number, 4)) * FROM own))
  SELECT
    EXISTS (SELECT 1 FROM inbound_trunks WHERE org_id = $1) AS "hasTrunk",
    (SELECT id FROM agents WHERE org_id = $1 AND id = $2) AS "namedAgentId",
    (SELECT id FROM agents WHERE org_id = $1 AND type = 'inbound' ORDER BY created_at, id LIMIT 1)
      AS "oldestInboundAgentId",
    coalesce((SELECT json_agg(json_build_object('phoneNumber', phone_number, 'agentId', agent_id, 'verified', verified))
      FROM asked), '[]') AS numbers`;

/** What routing asks of an organisation, as the store has it now: enough for one INVITE. */
export class RoutingRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Null when the organisation has no inbound trunk: nobody can call it. */
  async organisation(orgId: string, invite: RoutedInvite): Promise<RoutedOrganisation<{ readonly id: string }> | null> {
    const named = invite.agentIdHeader?.trim() ?? '';
    const number = readUserPart(invite.dialedUser)?.number ?? null;
    const ending = number === null ? null : endingOf(number);
    const [found]: Found[] = await this.#dataSource.query(LOOK_UP, [orgId, isUuid(named) ? named : null, ending]);
    if (found?.hasTrunk !== true) return null;
    return routed(found);
  }
}

function routed({ numbers, namedAgentId, oldestInboundAgentId }: Found): RoutedOrganisation<{ readonly id: string }> {
  const own = new OwnNumbers();
  for (const { phoneNumber, agentId, verified } of numbers) {
    if (verified) own.verify(phoneNumber, agentId);
    else own.putOnTrunk([phoneNumber]);
  }
  const agentIds = new Set([namedAgentId, ...numbers.map(({ agentId }) => agentId)]);
  return {
    dialed: (userPart) => own.dialed(userPart),
    agent: (id) => (agentIds.has(id) ? { id } : undefined),
    oldestInboundAgent: () => (oldestInboundAgentId === null ? undefined : { id: oldestInboundAgentId }),
  };
}
