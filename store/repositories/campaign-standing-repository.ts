/** What a campaign does to itself when it finds that what it calls with is not what it was. */
import type { EntityManager } from 'typeorm';
import { changedOutside } from '../campaigns/standing-fault';
import type { StandingFault } from '../campaigns/standing-fault';
import type { Campaign } from '../entities/campaign';
import { uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { addCampaignEvent, renewContacts, setCampaignStatus } from './campaign-status';

/**
 * It runs, at this version, as it was read: else somebody else was faster. Workers that are set differently do not undo each other's
 * at every turn: what was seen a moment ago stays for a while.
 */
const SEEN = `UPDATE campaigns SET rules_seen = $3, rules_seen_at = now()
  WHERE id = $1 AND version = $2 AND status = 'running' AND deleted_at IS NULL AND rules_seen IS NOT DISTINCT FROM $4
    AND coalesce(rules_seen_at < now() - interval '10 seconds', true) RETURNING id`;

/** Calls that wait were claimed by the former ones; and who follows the row sees to whom the renewal makes due. */
const RAISE = 'UPDATE campaigns SET version = version + 1, updated_at = now() WHERE id = $1';

export class CampaignStandingRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * @param once the event's id, of what a person may resume nevertheless: it is not paused again for it
   * @returns false: it does not run, or was paused for that before
   */
  async pause({ orgId, id }: Campaign, { detail, data }: StandingFault, once?: string): Promise<boolean> {
    return this.#session.manager.transaction(async (manager) => {
      const event = { id: once ?? uuidV7(), type: 'paused_by_itself', data } as const;
      if (once !== undefined && !(await isNew(manager, once))) return false;
      const move = { from: ['running'], to: 'paused', event, reason: detail } as const;
      return (await setCampaignStatus(manager, { orgId, id }, move)) !== null;
    });
  }

  /**
   * Whom it has put off or left out is looked at again where the rules are not those of its last look.
   * @returns `changed`: they are not, and it is another version from now on; `later`: they are not, and it is too soon for that
   */
  async sees(campaign: Campaign, rules: string): Promise<'same' | 'changed' | 'later'> {
    const { orgId, id, version, rulesSeen, renewal } = campaign;
    if (rulesSeen === rules) return 'same';
    return this.#session.manager.transaction(async (manager) => {
      const [rows]: [unknown[]] = await manager.query(SEEN, [id, version, rules, rulesSeen]);
      if (rulesSeen === null) return 'same';
      if (rows.length === 0) return 'later';
      const event = { id: uuidV7(), type: 'changed', data: { fields: changedOutside(rulesSeen, rules) } } as const;
      await addCampaignEvent(manager, { orgId, id }, event);
      await renewContacts(manager, { orgId, id, renewal }, event.id, [], { passedOver: true });
      await manager.query(RAISE, [id]);
      return 'changed';
    });
  }
}

async function isNew(manager: EntityManager, eventId: string): Promise<boolean> {
  const rows: unknown[] = await manager.query('SELECT FROM campaign_events WHERE id = $1', [eventId]);
  return rows.length === 0;
}
