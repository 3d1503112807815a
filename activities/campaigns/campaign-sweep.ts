import type { CampaignRunRepository } from '../../store/repositories/campaign-run-repository';
import type { CampaignWorkflows } from '../../workflows/client/campaign-workflows';

const PARALLEL = 10;

export interface CampaignSweepDeps {
  readonly campaigns: Pick<CampaignRunRepository, 'live'>;
  readonly workflows: Pick<CampaignWorkflows, 'running' | 'tell' | 'signalChanged'>;
}

/**
 * What a process that was killed, or a Temporal that was away, has left between a campaign's row and its workflow: rows that
 * live without a workflow get one, those that have changed since have theirs told, and workflows without such a row look, and
 * end. Rejects while a server is away; harmless to repeat.
 */
export async function sweepCampaigns({ campaigns, workflows }: CampaignSweepDeps): Promise<void> {
  const [live, running] = [await campaigns.live(), await workflows.running()];
  const rows = new Set(live.map(({ campaignId }) => campaignId));
  const behind = live.filter(({ campaignId, settled }) => !settled || !running.has(campaignId));
  const tell = behind.map((campaign) => () => workflows.tell(campaign));
  const rowless = [...running].filter((campaignId) => !rows.has(campaignId));
  const words: (() => Promise<unknown>)[] = [...tell, ...rowless.map((id) => () => workflows.signalChanged(id))];
  const failed: unknown[] = [];
  for (let at = 0; at < words.length; at += PARALLEL) {
    const told = await Promise.allSettled(words.slice(at, at + PARALLEL).map((word) => word()));
    failed.push(...told.flatMap((word) => (word.status === 'rejected' ? [word.reason as unknown] : [])));
  }
  // As of a run that is just ending, which takes no word.
  if (failed.length > 0) throw new AggregateError(failed, 'workflows of campaigns are told by the next pass');
}
