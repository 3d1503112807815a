/** The times of campaigns as Schedules of Temporal: seen, paused and triggered in its UI. */
import { MONTHS, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions, ScheduleSpec } from '@temporalio/client';
import type { CampaignTimes } from '../../contract/campaigns';
import type { CampaignOccasion, CampaignReference } from '../../contract/campaigns';
import { occasionSummary } from '../campaign/presentation';
import { campaignAttributes } from '../campaign/start-options';
import { campaignScheduleId, MAIN_TASK_QUEUE } from '../ids';
import { timedRequest } from './timed-request';

/** Asked about a schedule that has just changed, the server sometimes takes 5 s (measured). */
const LIMIT_MS = 10_000;
/** A start that an outage has kept from happening happens when it is over. */
const LATE_START_MS = 365 * 24 * 3_600_000;
/** A round that was missed by more is not made up for: the next one comes. */
const LATE_ROUND_MS = 600_000;

type Wanted = Omit<ScheduleOptions, 'scheduleId'>;

export class CampaignSchedules {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes, changes or ends them. Repeating it changes nothing; rejects while Temporal is away. */
  async ensure(campaign: CampaignReference, times: CampaignTimes): Promise<void> {
    const { startAtMs, recurrence, fromMs, untilMs, paused } = times;
    const start = startAtMs === null ? null : schedule(campaign, 'start', { calendars: [instant(startAtMs)] }, paused);
    const again =
      recurrence === null
        ? null
        : schedule(
            campaign,
            'recurrence',
            {
              cronExpressions: [recurrence.cron],
              timezone: recurrence.timeZone,
              ...(fromMs === null ? {} : { startAt: new Date(fromMs) }),
              ...(untilMs === null ? {} : { endAt: new Date(untilMs) }),
            },
            paused,
          );
    await Promise.all([this.#ensure(campaign, 'start', start), this.#ensure(campaign, 'recurrence', again)]);
  }

  async #ensure({ campaignId }: CampaignReference, occasion: CampaignOccasion, wanted: Wanted | null): Promise<void> {
    const scheduleId = campaignScheduleId(campaignId, occasion);
    const handle = this.#client.schedule.getHandle(scheduleId);
    await timedRequest<void>({ client: this.#client, deadlineMs: Date.now() + LIMIT_MS }, async () => {
      try {
        if (wanted === null) await handle.delete();
        else await this.#client.schedule.create({ scheduleId, ...wanted });
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return;
        if (!(error instanceof ScheduleAlreadyRunning) || wanted === null) throw error;
        const { spec, action, policies, state } = wanted;
        await handle.update(() => ({ spec, action, ...(policies && { policies }), state: { ...state } }));
      }
    });
  }
}

function schedule(
  campaign: CampaignReference,
  occasion: CampaignOccasion,
  spec: ScheduleSpec,
  paused: boolean,
): Wanted {
  const { orgId, campaignId } = campaign;
  const once = occasion === 'start';
  return {
    spec,
    action: {
      type: 'startWorkflow',
      workflowType: 'campaignOccasionWorkflow',
      workflowId: campaignScheduleId(campaignId, occasion),
      taskQueue: MAIN_TASK_QUEUE,
      args: [{ orgId, campaignId, occasion }],
      typedSearchAttributes: campaignAttributes(campaign),
      staticSummary: occasionSummary(occasion),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: once ? LATE_START_MS : LATE_ROUND_MS },
    state: { paused, ...(once ? { remainingActions: 1 } : {}) },
    typedSearchAttributes: campaignAttributes(campaign),
  };
}

function instant(ms: number): NonNullable<ScheduleSpec['calendars']>[number] {
  const at = new Date(ms);
  const month = MONTHS[at.getUTCMonth()];
  if (month === undefined) throw new RangeError('a campaign starts at a time');
  return {
    year: at.getUTCFullYear(),
    month,
    dayOfMonth: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
  };
}
