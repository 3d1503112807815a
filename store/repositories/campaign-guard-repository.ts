import { ABANDONED_AFTER_MS, GUARD_CALLS } from '../campaigns/guard';
import type { GuardFigures } from '../campaigns/guard';
import { isUuid } from '../ids';
import type { StoreSession } from '../organisation-scope';

/** As long as the longest share of short calls looks at. */
const SETTLED_SECONDS = 12;

/**
 * Calls that are old enough to have rung to the end and to have lasted for twelve seconds: then one that is under way still
 * is one that was answered, and is long. What we took back ourselves, and what nobody knows the end of, speaks against nobody.
 */
const FIGURES = `
  WITH latest AS (
     SELECT c.answered_at, c.ended_at, c.disposition, c.duration_seconds, c.metrics
     FROM campaigns p JOIN calls c ON c.org_id = p.org_id AND c.campaign_id = p.id
     WHERE p.id = $1 AND c.created_at >= $2
       AND c.created_at <= $3::timestamptz - make_interval(secs => p.ring_timeout_seconds + ${SETTLED_SECONDS})
       AND (c.ended_at IS NOT NULL OR c.answered_at <= $3::timestamptz - interval '${SETTLED_SECONDS} seconds')
       AND (c.disposition IS NULL OR c.disposition NOT IN ('canceled', 'expired', 'uncertain'))
       AND EXISTS (SELECT FROM call_attempts a WHERE a.call_id = c.id AND a.state <> 'not_sent')
     ORDER BY c.created_at DESC LIMIT ${GUARD_CALLS}),
   taken AS (SELECT * FROM latest WHERE disposition IN ('answered', 'voicemail') OR ended_at IS NULL)
   SELECT (SELECT count(*) FROM latest)::int AS attempts, count(*)::int AS answered,
     count(*) FILTER (WHERE duration_seconds <= 6)::int AS "shortCalls6s",
     count(*) FILTER (WHERE duration_seconds <= ${SETTLED_SECONDS})::int AS "shortCalls12s",
     count(*) FILTER (WHERE (metrics->>'openingSilenceMs')::float8 > ${ABANDONED_AFTER_MS})::int AS abandoned
   FROM taken`;

/** How the latest calls of campaigns went, for their guards. */
export class CampaignGuardRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Of its calls that were begun since, epoch ms; see `guardSinceMs`. */
  async figures(campaignId: string, sinceMs: number, nowMs = Date.now()): Promise<GuardFigures> {
    const none = { answered: 0, attempts: 0, shortCalls6s: 0, shortCalls12s: 0, abandoned: 0 };
    if (!isUuid(campaignId)) return none;
    const rows: GuardFigures[] = await this.#session.manager.query(FIGURES, [
      campaignId,
      new Date(sinceMs),
      new Date(nowMs),
    ]);
    return rows[0] ?? none;
  }
}
