/** How fast a campaign calls, as its guards have it. */
import type { EntityManager } from 'typeorm';
import type { AutoPause } from '../entities/campaign';
import type { StoreSession } from '../organisation-scope';
import { addCampaignEvent, setCampaignStatus } from './campaign-status';

export interface CampaignPace {
  readonly limits: AutoPause;
  readonly pace: number;
  readonly runningSince: Date | null;
  /** Since it was started, or resumed; null: it was not slowed. */
  readonly slowedAt: Date | null;
}

const SLOWEST = 0.25;

export class CampaignPaceRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Null: it does not run. */
  async find(campaignId: string): Promise<CampaignPace | null> {
    const rows: CampaignPace[] = await this.#session.manager.query(
      `SELECT auto_pause AS limits, pace, running_since AS "runningSince",
         (SELECT max(at) FROM campaign_events e WHERE e.campaign_id = c.id AND e.type = 'slowed'
            AND e.at >= c.running_since) AS "slowedAt"
       FROM campaigns c WHERE id = $1 AND status = 'running' AND deleted_at IS NULL`,
      [campaignId],
    );
    return rows[0] ?? null;
  }

  /** Half as fast. False: it runs at another pace than that, or not. */
  async slow(campaignId: string, pace: number, data: object): Promise<boolean> {
    const slower = Math.max(SLOWEST, pace / 2);
    return this.#session.manager.transaction(async (manager) => {
      const orgId = await changePace(manager, campaignId, pace, slower);
      if (orgId === null) return false;
      return addCampaignEvent(manager, { orgId, id: campaignId }, { type: 'slowed', data: { ...data, pace: slower } });
    });
  }

  /** As fast as it may. */
  async recover(campaignId: string, data: object): Promise<boolean> {
    return this.#session.manager.transaction(async (manager) => {
      const orgId = await changePace(manager, campaignId, null, 1);
      if (orgId === null) return false;
      return addCampaignEvent(manager, { orgId, id: campaignId }, { type: 'recovered', data });
    });
  }

  /** @param reason for people */
  async pause(campaignId: string, reason: string, data: object): Promise<boolean> {
    return this.#session.manager.transaction(async (manager) => {
      const rows: { orgId: string }[] = await manager.query(`SELECT org_id AS "orgId" FROM campaigns WHERE id = $1`, [
        campaignId,
      ]);
      const { orgId } = rows[0] ?? {};
      if (orgId === undefined) return false;
      const event = { type: 'paused_by_guard', data } as const;
      const move = { from: ['running'], to: 'paused', event, reason } as const;
      return (await setCampaignStatus(manager, { orgId, id: campaignId }, move)) !== null;
    });
  }
}

/**
 * The version stays: calls that wait are as good as before. Whose it is; null: it does not run, or not at the pace
 * that it is changed from (null: any but the new one).
 */
async function changePace(
  manager: EntityManager,
  campaignId: string,
  from: number | null,
  to: number,
): Promise<string | null> {
  const [rows]: [{ orgId: string }[]] = await manager.query(
    `UPDATE campaigns SET pace = $3 WHERE id = $1 AND status = 'running' AND deleted_at IS NULL
       AND pace = coalesce($2, pace) AND pace <> $3 RETURNING org_id AS "orgId"`,
    [campaignId, from, to],
  );
  return rows[0]?.orgId ?? null;
}
