/** Which times a campaign waits for: that it is started at, and those at which its list is called anew. Pure. */
import type { CampaignTimes } from '../../contract/campaigns';
import type { Campaign } from '../entities/campaign';

type Timed = Pick<Campaign, 'status' | 'deletedAt' | 'startsAt' | 'endsAt' | 'recurrence'>;

const NONE: CampaignTimes = { startAtMs: null, recurrence: null, fromMs: null, untilMs: null, paused: false };

export function campaignTimes(campaign: Timed, nowMs: number): CampaignTimes {
  const { status, deletedAt, startsAt, endsAt, recurrence } = campaign;
  const waits = status === 'scheduled' || status === 'paused';
  if (deletedAt !== null || !(waits || status === 'running')) return NONE;
  // A second is the finest that a schedule knows: rather too late than too early.
  const startMs = startsAt === null ? null : Math.ceil(startsAt.getTime() / 1000) * 1000;
  const toStart = waits && startMs !== null && startMs > nowMs;
  return {
    startAtMs: toStart ? startMs : null,
    recurrence: recurrence === null ? null : { cron: recurrence.cron, timeZone: recurrence.timeZone },
    fromMs: startMs,
    untilMs: endsAt === null ? null : endsAt.getTime(),
    paused: status === 'paused',
  };
}

/** Nobody is called before. */
export const startsLater = ({ startsAt }: Pick<Campaign, 'startsAt'>, nowMs: number): boolean =>
  startsAt !== null && startsAt.getTime() > nowMs;

/** It waits for nothing any more: neither for its start, nor, as it has run since then, for its next round. */
export function isDue(
  campaign: Pick<Campaign, 'status' | 'deletedAt' | 'startsAt' | 'runningSince' | 'recurrence'>,
  nowMs: number,
): boolean {
  const { status, deletedAt, startsAt, runningSince, recurrence } = campaign;
  const hasRun = runningSince !== null && (startsAt === null || startsAt <= runningSince);
  const waitsForRound = recurrence !== null && hasRun;
  return deletedAt === null && status === 'scheduled' && !waitsForRound && !startsLater(campaign, nowMs);
}
