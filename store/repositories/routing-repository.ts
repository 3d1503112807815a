import type { RoutedOrganisation } from '../../contract/inbound-routing';
import { isUuid } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { endingOf, readUserPart } from '../routing/dialed-number';
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
    readonly onTrunk: boolean;
  }[];
}

/**
 * Of the organisation's numbers only those that can be meant, which end like the dialled one, and the first and the last
 * of all: when these begin with the same country code, so do all between them. Whatever is on the trunk is verified.
 */
const LOOK_UP = prepared(`
  WITH trunk AS (SELECT id, phone_numbers FROM inbound_trunks WHERE org_id = $1),
  verified AS NOT MATERIALIZED (SELECT phone_number, number_ending, agent_id FROM phone_numbers
    WHERE org_id = $1 AND status = 'verified'),
  asked AS (
    SELECT phone_number, agent_id, EXISTS (SELECT 1 FROM trunk WHERE phone_number = ANY(phone_numbers)) AS on_trunk
    FROM verified WHERE number_ending = $3
    UNION ALL (SELECT phone_number, agent_id, false FROM verified ORDER BY phone_number LIMIT 1)
    UNION ALL (SELECT phone_number, agent_id, false FROM verified ORDER BY phone_number DESC LIMIT 1))
  SELECT
    EXISTS (SELECT 1 FROM trunk) AS "hasTrunk",
    (SELECT id FROM agents WHERE org_id = $1 AND id = $2) AS "namedAgentId",
    (SELECT id FROM agents WHERE org_id = $1 AND type = 'inbound' ORDER BY created_at, id LIMIT 1)
      AS "oldestInboundAgentId",
    coalesce((SELECT json_agg(json_build_object('phoneNumber', phone_number, 'agentId', agent_id, 'onTrunk', on_trunk))
      FROM asked), '[]') AS numbers`);

/** What routing asks of an organisation, as the store has it now: enough for one INVITE. */
export class RoutingRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Null when the organisation has no inbound trunk: nobody can call it. */
  async organisation(orgId: string, invite: RoutedInvite): Promise<RoutedOrganisation<{ readonly id: string }> | null> {
    const named = invite.agentIdHeader?.trim() ?? '';
    const number = readUserPart(invite.dialedUser)?.number ?? null;
    const ending = number === null ? null : endingOf(number);
    const [found]: Found[] = await this.#session.manager.query(LOOK_UP, [orgId, isUuid(named) ? named : null, ending]);
    if (found?.hasTrunk !== true) return null;
    return routed(found);
  }
}

function routed({ numbers, namedAgentId, oldestInboundAgentId }: Found): RoutedOrganisation<{ readonly id: string }> {
  const own = new OwnNumbers();
  for (const { phoneNumber, agentId, onTrunk } of numbers) {
    own.verify(phoneNumber, agentId);
    if (onTrunk) own.putOnTrunk([phoneNumber]);
  }
  const agentIds = new Set([namedAgentId, ...numbers.map(({ agentId }) => agentId)]);
  return {
    dialed: (userPart) => own.dialed(userPart),
    agent: (id) => (agentIds.has(id) ? { id } : undefined),
    oldestInboundAgent: () => (oldestInboundAgentId === null ? undefined : { id: oldestInboundAgentId }),
  };
}
