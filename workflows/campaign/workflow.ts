import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { CAMPAIGN_TASK_QUEUE } from '../ids';
import type {
  CampaignControlActivities,
  CampaignDialActivities,
  CampaignGuardActivities,
  CampaignSettlement,
} from './activities';
import { CampaignProgress } from './campaign-progress';
import { campaignChangedSignal, campaignChangedUpdate, campaignStateQuery, contactsMovedSignal } from './messages';
import type { CampaignInput } from './messages';
import { campaignDetails } from './presentation';

/** Timers below it fire late on a server that is not tuned. */
const SHORTEST_LOOK_MS = 1_000;
/** Whatever a server suggests: one that was told to suggest it late is no reason for a history that is slow to replay. */
const EVENTS_PER_RUN = 8_000;

interface CampaignResult {
  readonly status: CampaignSettlement['status'] | null;
}

const { dialDue } = proxyActivities<CampaignDialActivities>({
  taskQueue: CAMPAIGN_TASK_QUEUE,
  // A worker that dies with it costs the three seconds; repeated, it is the same turn.
  startToCloseTimeout: '60s',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
  summary: 'claims contacts that are due and starts their calls',
});
const { settleCampaign } = proxyActivities<CampaignControlActivities>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
  summary: 'does what the row of the campaign asks for beside dialling',
});
const { checkGuards } = proxyActivities<CampaignGuardActivities>({
  taskQueue: CAMPAIGN_TASK_QUEUE,
  startToCloseTimeout: '5s',
  retry: { initialInterval: '500ms', maximumInterval: '5s' },
  summary: 'looks how its calls go',
});

/**
 * A campaign from its start until it is over. The row says what it is: whoever changes it changes the row first, and a dial
 * is admitted by the row, so that nothing here can call anybody against it. This looks who is due and has calls started,
 * and sees to what else the row asks for.
 */
export async function campaignWorkflow(input: CampaignInput): Promise<CampaignResult> {
  const { campaignId, orgId, eventsPerRun = EVENTS_PER_RUN } = input;
  const progress = new CampaignProgress(input.resumed);
  const { runId } = workflowInfo();
  const show = (): void => setCurrentDetails(campaignDetails(progress.standing));
  const isLong = (): boolean => {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= eventsPerRun;
  };

  setHandler(campaignStateQuery, () => progress.standing, { description: 'How far the campaign has come' });
  setHandler(campaignChangedSignal, () => void progress.told(), { description: 'The row of the campaign has changed' });
  setHandler(contactsMovedSignal, () => progress.moved(), {
    description: 'Calls of contacts have ended, or contacts were added',
  });
  setHandler(
    campaignChangedUpdate,
    async () => {
      const word = progress.told();
      await condition(() => progress.isSettled(word));
      return progress.standing;
    },
    { description: 'The row of the campaign has changed; answered when what it asks for was done' },
  );

  let turns = 0;
  let dialling = false;

  async function settle(): Promise<void> {
    for (;;) {
      const stirred = (): boolean => progress.unsettled || !dialling;
      const lookInMs = progress.lookInMs(Date.now());
      if (lookInMs === null) await condition(stirred);
      else if (!(await condition(stirred, Math.max(lookInMs, SHORTEST_LOOK_MS), { summary: 'until it looks again' }))) {
        progress.told();
      }
      // As long as there are turns somebody has to see to what they, or others meanwhile, say.
      if (!dialling && !progress.untold) return;
      const word = progress.settling();
      progress.settled(word, await settleCampaign({ campaignId, orgId, schedules: progress.schedules }));
      show();
    }
  }

  async function dial(): Promise<void> {
    for (;;) {
      const ready = (): boolean => progress.over || isLong() || progress.turnInMs(Date.now()) === 0;
      const waitMs = progress.turnInMs(Date.now());
      if (waitMs === null) await condition(() => ready() || progress.turnInMs(Date.now()) !== null);
      else if (waitMs > 0) await condition(ready, waitMs, { summary: 'until somebody may be due' });
      if (progress.over || isLong()) return;
      if (progress.turnInMs(Date.now()) !== 0) continue;
      progress.turning();
      progress.turned(await dialDue({ campaignId, orgId, turn: `${runId}:${++turns}` }), Date.now());
      if (progress.takeGuards(Date.now()) && (await checkGuards({ campaignId, orgId }))) progress.told();
      show();
    }
  }

  for (;;) {
    dialling = true;
    const dialled = dial().finally(() => {
      dialling = false;
    });
    await Promise.all([settle(), dialled]);
    await condition(() => allHandlersFinished() || progress.untold);
    if (progress.untold || !(progress.over || isLong())) continue;
    if (progress.over) return { status: progress.standing.status };
    const { resumption } = progress;
    if (resumption !== null) {
      await continueAsNew<typeof campaignWorkflow>({ ...input, resumed: resumption });
    }
  }
}
