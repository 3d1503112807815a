/** The words of campaigns that all processes share. */

/** `draft` is prepared and calls nobody; the others follow its start. */
export const CAMPAIGN_STATUSES = ['draft', 'scheduled', 'running', 'paused', 'completed', 'canceled'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/**
 * Of its timeline. `slowed`, `paused_by_guard`: with the figure that has broken its limit. `paused_by_itself`: what is set lets it call
 * nobody, with what is missing. `put_off`, `left_out`: contacts that were
 * due and are called later, or not any more; one event for each reason and hour, with how many they are.
 */
export const CAMPAIGN_EVENTS = [
  'started',
  'paused',
  'resumed',
  'canceled',
  'completed',
  'redial',
  'recurred',
  'changed',
  'slowed',
  'recovered',
  'paused_by_guard',
  'paused_by_itself',
  'trunk_cool_down',
  'put_off',
  'left_out',
  'opted_out',
] as const;
export type CampaignEventType = (typeof CAMPAIGN_EVENTS)[number];

/** What a campaign waits for. */
export interface CampaignTimes {
  /** Epoch ms, a whole second; null: it was started, or is not to be. */
  readonly startAtMs: number | null;
  /** When its list is called anew; null: it is called once. */
  readonly recurrence: { readonly cron: string; readonly timeZone: string } | null;
  /** Between them it recurs; null: without a limit. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** None of it happens for the time being. */
  readonly paused: boolean;
}

/** `pending`: never called. `waiting`: to be called again. `calling`: a call of it is under way. `done`: not called any more. */
export const CAMPAIGN_CONTACT_STATES = ['pending', 'waiting', 'calling', 'done'] as const;
export type CampaignContactState = (typeof CAMPAIGN_CONTACT_STATES)[number];

/**
 * Why a contact is `done`. `exhausted`: tried as often as its campaign says, or never to be tried (a window that never opens, a
 * cap of 0). `suppressed`: on a do-not-call list, or what no time changes: without consent, a variable, a time zone, or where
 * nobody may be called. `uncertain`: it may have rung. `canceled`: its campaign was, or has ended, or an operator hung up on the
 * call before it was dialled.
 */
export const CAMPAIGN_CONTACT_RESULTS = [
  'reached',
  'exhausted',
  'opted_out',
  'suppressed',
  'uncertain',
  'canceled',
] as const;
export type CampaignContactResult = (typeof CAMPAIGN_CONTACT_RESULTS)[number];

/** `aborted`: the upload stopped before its end. `refused`: by a limit. What was stored by then stays, each row once. */
export const IMPORT_STATUSES = ['running', 'completed', 'aborted', 'refused'] as const;
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

/** Of a row that was not accepted. */
export const ROW_REFUSALS = ['duplicate', 'invalid', 'suppressed'] as const;
export type RowRefusal = (typeof ROW_REFUSALS)[number];

/** By whom or what a number came to the list of those that are not called. */
export const DNC_SOURCES = ['api', 'import', 'opt_out'] as const;
export type DncSource = (typeof DNC_SOURCES)[number];

export interface CampaignReference {
  readonly orgId: string;
  readonly campaignId: string;
}

/** Of its schedules. `start`: the time it was to be started at. */
export type CampaignOccasion = 'start' | 'recurrence';
