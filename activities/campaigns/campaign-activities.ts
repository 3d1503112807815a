import { CAMPAIGN_STATUSES } from '../../contract/campaigns';
import type { CampaignReference } from '../../contract/campaigns';
import { campaignTimes, isDue } from '../../store/campaigns/campaign-times';
import type { Campaign } from '../../store/entities/campaign';
import { uuidV8 } from '../../store/ids';
import type { CampaignDiallingRepository } from '../../store/repositories/campaign-dialling-repository';
import type { CampaignRunRepository } from '../../store/repositories/campaign-run-repository';
import type { CampaignControlActivities, SettleRequest } from '../../workflows/campaign/activities';
import type { CallWorkflows } from '../../workflows/client/call-workflows';
import type { CampaignSchedules } from '../../workflows/client/campaign-schedules';
import type { CampaignWorkflows } from '../../workflows/client/campaign-workflows';
import { beating } from '../beating';

/** What takes longer goes on in the next activity. */
const MOST_MS = 2_000;
const CONTACTS_AT_ONCE = 2_000;
const PARALLEL = 10;
/** For CANCEL to be sent. */
const HANGUP_LIMIT_MS = 3_000;
/** One for each call: a repeat joins it. */
const CANCEL_COMMAND_ID = 'campaign-cancel';

export interface CampaignActivityDeps {
  readonly campaigns: CampaignRunRepository;
  readonly dialling: Pick<CampaignDiallingRepository, 'endContacts'>;
  readonly calls: Pick<CallWorkflows, 'signalCapacity' | 'control'>;
  readonly schedules: Pick<CampaignSchedules, 'ensure'>;
  readonly workflows: Pick<CampaignWorkflows, 'tell'>;
}

/** Each may be repeated, also while an earlier try of it is still under way. */
export function createCampaignActivities(deps: CampaignActivityDeps): CampaignControlActivities {
  return {
    settleCampaign: (request) => beating(() => settle(deps, request)),

    async campaignOccurs({ orgId, campaignId, occasion, runId }) {
      const eventId = uuidV8('campaign-occasion', campaignId, occasion, runId);
      await deps.campaigns.occur({ orgId, campaignId }, occasion, eventId);
      // Also of one that is gone: its workflow ends the schedules.
      await deps.workflows.tell({ orgId, campaignId });
    },
  };
}

async function settle(
  { campaigns, dialling, calls, schedules }: CampaignActivityDeps,
  { orgId, campaignId, schedules: known }: SettleRequest,
): ReturnType<CampaignControlActivities['settleCampaign']> {
  const untilMs = performance.now() + MOST_MS;
  const reference: CampaignReference = { orgId, campaignId };
  await campaigns.startIfDue(campaignId);
  const ended = hasEnded(await campaigns.find(campaignId), Date.now());
  let again = ended && (await goOn(untilMs, () => endSome(dialling, reference)));
  await campaigns.completeIfOver(campaignId);
  const campaign = await campaigns.find(campaignId);
  const gone = campaign === null || campaign.deletedAt !== null;
  if (campaign !== null) {
    // What keeps the next call from being made comes first.
    if (gone || campaign.status === 'canceled') {
      await inParallel(await campaigns.unansweredCalls(reference), (callId) => hangUp(calls, callId));
      again = !gone && (await goOn(untilMs, () => cancelSome(campaigns, campaignId)));
    } else if (campaign.status !== 'running') {
      await inParallel(await campaigns.queuedCalls(campaignId), (callId) => calls.signalCapacity(callId));
    }
    if (campaign.renewal !== null && isLive(campaign)) {
      again ||= await goOn(untilMs, () => campaigns.renewSome(campaignId, CONTACTS_AT_ONCE));
    }
  }
  const times = campaignTimes(campaign ?? NOTHING, Date.now());
  const wanted = JSON.stringify(times);
  if (wanted !== known) await schedules.ensure(reference, times);
  // A schedule whose only time was past when it was made never fires.
  again ||= campaign !== null && isDue(campaign, Date.now());
  const open = await campaigns.openContacts(campaignId);
  if (campaign !== null && !again) await campaigns.settled(campaignId, campaign.version);
  return {
    status: gone ? 'deleted' : campaign.status,
    endsAtMs: campaign?.endsAt?.getTime() ?? null,
    open,
    again,
    schedules: wanted,
    guarded: campaign !== null && Object.values(campaign.autoPause).some((limit) => limit !== null),
  };
}

const NOTHING = {
  status: CAMPAIGN_STATUSES[0],
  deletedAt: null,
  startsAt: null,
  endsAt: null,
  recurrence: null,
} as const;

const isLive = ({ status, deletedAt }: Campaign): boolean =>
  deletedAt === null && (status === 'running' || status === 'paused' || status === 'scheduled');

const hasEnded = (campaign: Campaign | null, nowMs: number): boolean =>
  campaign !== null && isLive(campaign) && campaign.endsAt !== null && campaign.endsAt.getTime() <= nowMs;

async function endSome(dialling: CampaignActivityDeps['dialling'], campaign: CampaignReference): Promise<boolean> {
  const at = new Date().toISOString();
  const note = { at, called: false, reason: 'campaign_ended', detail: 'The campaign has ended' } as const;
  return (await dialling.endContacts(campaign.orgId, campaign.campaignId, note)) > 0;
}

async function cancelSome(campaigns: CampaignRunRepository, campaignId: string): Promise<boolean> {
  return (await campaigns.cancelContacts(campaignId, CONTACTS_AT_ONCE)) > 0;
}

/** Piece after piece, as long as there is time; true when some are left. */
async function goOn(untilMs: number, piece: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    if (!(await piece())) return false;
    if (performance.now() >= untilMs) return true;
  }
}

/** Of a call that waits or rings: whoever has answered meanwhile goes on talking. One whose workflow is gone needs none. */
async function hangUp(calls: CampaignActivityDeps['calls'], callId: string): Promise<void> {
  const control = { type: 'hangup', unanswered: true, endReason: 'api_hangup', endedBy: 'api' } as const;
  await calls.control(callId, { commandId: CANCEL_COMMAND_ID, control }, Date.now() + HANGUP_LIMIT_MS);
}

/** All of them, whatever becomes of each. @throws the first failure, afterwards */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failed: unknown[] = [];
  for (let at = 0; at < items.length; at += PARALLEL) {
    const done = await Promise.allSettled(items.slice(at, at + PARALLEL).map(work));
    failed.push(...done.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])));
  }
  if (failed.length > 0) throw failed[0];
}
