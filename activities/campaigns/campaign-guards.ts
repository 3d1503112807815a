import { areConclusive, guardSinceMs, guardVerdict } from '../../store/campaigns/guard';
import type { Guard, GuardFigures, GuardVerdict } from '../../store/campaigns/guard';
import type { CampaignGuardRepository } from '../../store/repositories/campaign-guard-repository';
import type { CampaignPaceRepository } from '../../store/repositories/campaign-pace-repository';
import type { CampaignReference } from '../../contract/campaigns';
import type { CampaignGuardActivities } from '../../workflows/campaign/activities';

export interface CampaignGuardDeps {
  readonly paces: CampaignPaceRepository;
  readonly guards: Pick<CampaignGuardRepository, 'figures'>;
}

const WORDS: Readonly<Record<Guard, string>> = {
  answer_rate: 'of its calls were answered, the limit is at least',
  short_calls: 'of its answered calls were over at once, the limit is',
  abandon: 'of its answered calls heard nothing of the agent in time, the limit is',
};

export function createCampaignGuards(deps: CampaignGuardDeps): CampaignGuardActivities {
  return { checkGuards: (campaign) => checkGuards(deps, campaign) };
}

async function checkGuards({ paces, guards }: CampaignGuardDeps, { campaignId }: CampaignReference): Promise<boolean> {
  const found = await paces.find(campaignId);
  if (found === null) return false;
  const { limits, pace, runningSince, slowedAt } = found;
  const since = { runningMs: runningSince?.getTime() ?? null, slowedMs: slowedAt?.getTime() ?? null };
  const figures = await guards.figures(campaignId, guardSinceMs(Date.now(), since));
  const verdict = guardVerdict(figures, limits, pace);
  if (verdict.action === 'none') return await recover(paces, campaignId, pace, areConclusive(figures, limits), figures);
  const data = dataOf(verdict);
  if (verdict.action === 'slow') return await paces.slow(campaignId, pace, data);
  return await paces.pause(campaignId, reasonOf(verdict), data);
}

async function recover(
  paces: CampaignPaceRepository,
  campaignId: string,
  pace: number,
  conclusive: boolean,
  { answered, attempts }: GuardFigures,
): Promise<boolean> {
  if (pace >= 1 || !conclusive) return false;
  return await paces.recover(campaignId, { answered, calls: attempts });
}

type Breach = Exclude<GuardVerdict, { action: 'none' }>;

const dataOf = ({ guard, figure, limit, calls }: Breach): object => ({ guard, figure: rounded(figure), limit, calls });

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000;

function reasonOf({ guard, figure, limit, calls }: Breach): string {
  const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
  return `${percent(figure)} ${WORDS[guard]} ${percent(limit)} (${calls} calls)`;
}
