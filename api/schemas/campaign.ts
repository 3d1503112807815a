import { z } from 'zod';
import {
  CAMPAIGN_CONTACT_RESULTS,
  CAMPAIGN_CONTACT_STATES,
  CAMPAIGN_EVENTS,
  CAMPAIGN_STATUSES,
  IMPORT_STATUSES,
  ROW_REFUSALS,
} from '../../contract/campaigns';
import { DISPOSITIONS } from '../../contract/endings';
import type { Disposition } from '../../contract/endings';
import { cronProblem } from '../../store/campaigns/cron';
import { WEEK_DAYS } from '../../store/campaigns/campaign-hours';
import { DEFAULT_NUMBER_CAPS } from '../../store/campaigns/number-caps';
import { DEFAULT_RETRY_MATRIX } from '../../store/campaigns/retry-plan';
import { isTimeZone } from '../../store/campaigns/zone-clock';
import {
  e164,
  id,
  isoTimestamp,
  MAX_FIRST_MESSAGE_CHARS,
  pageOf,
  pageQuery,
  phoneNumber,
  variables,
  warnings,
} from './primitives';

const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be an IANA time zone, such as America/New_York')
  .meta({ description: 'IANA time zone', examples: ['America/New_York'] });

const clockTime = (pattern: RegExp, message: string): z.ZodString => z.string().regex(pattern, message);

const isDate = (text: string): boolean => {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
};

const dialWindow = z.object({
  days: z
    .array(z.enum(WEEK_DAYS))
    .min(1)
    .max(7)
    .transform((days) => WEEK_DAYS.filter((day) => days.includes(day)))
    .default(['mon', 'tue', 'wed', 'thu', 'fri'])
    .meta({
      description: 'Of the week where the contact is; one that crosses midnight belongs to the day it begins on',
    }),
  start: clockTime(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time from 00:00 to 23:59').default('09:00'),
  end: clockTime(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time from 00:01 to 24:00')
    .default('20:00')
    .meta({ description: 'Before `start`: on the next day' }),
  holidays: z
    .array(
      z
        .string()
        .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date')
        .refine(isDate, 'must be a date that exists'),
    )
    .max(400)
    .transform((dates) => [...new Set(dates)].sort())
    .default([])
    .meta({ description: 'Dates on which nobody is called, where the contact is', examples: [['2026-12-25']] }),
  default_time_zone: timeZone.nullable().default(null).meta({
    description: 'Of numbers that tell no zone, of contacts that have none of their own; null: these are not called',
  }),
  legal: z.enum(['default', 'off']).default('default').meta({
    description: 'Legal hours beside the window: 8 to 21 o’clock, less in some states. `off` takes an operator’s key',
  }),
});

const windowInput = dialWindow.refine(({ start, end }) => start !== end && end !== '00:00', {
  path: ['end'],
  message: 'must not be the start, nor 00:00 (24:00 is the end of the day)',
});

const retryRule = z
  .object({
    max: z.int().min(0).max(20).meta({ description: 'Further attempts' }),
    delays_minutes: z
      .array(z.int().min(1).max(43_200))
      .max(20)
      .meta({ description: 'Before the first, second … of them; the last one serves for the rest' }),
  })
  .refine((rule) => rule.max === 0 || rule.delays_minutes.length > 0, {
    path: ['delays_minutes'],
    message: 'must name a delay',
  });

const DEFAULT_RULES = Object.fromEntries(
  Object.entries(DEFAULT_RETRY_MATRIX.rules).map(([disposition, { max, delaysMinutes }]) => [
    disposition,
    { max, delays_minutes: [...delaysMinutes] },
  ]),
) as RetryRules;

type RetryRules = Partial<Record<Disposition, z.output<typeof retryRule>>>;

const retryRules = Object.fromEntries(DISPOSITIONS.map((one) => [one, retryRule.optional()])) as Record<
  Disposition,
  z.ZodOptional<typeof retryRule>
>;

const retry = z
  .object({ ...retryRules, max_attempts_total: z.int().min(1).max(50).default(DEFAULT_RETRY_MATRIX.maxAttemptsTotal) })
  .transform(({ max_attempts_total: total, ...rules }) => {
    const given = Object.entries(rules).filter(([, rule]) => rule !== undefined);
    return { rules: given.length === 0 ? DEFAULT_RULES : (Object.fromEntries(given) as RetryRules), total };
  })
  .meta({
    description: 'Further attempts by disposition: those not named are not tried again; none named: the defaults',
  });

const cap = (most: number): z.ZodInt => z.int().min(1).max(most);

const caps = z.object({
  per_number_per_day: cap(20).default(DEFAULT_NUMBER_CAPS.perNumberPerDay),
  per_number_per_week: cap(100).default(DEFAULT_NUMBER_CAPS.perNumberPerWeek),
});

const share = z.number().min(0).max(1).nullable().default(null);

const autoPause = z.object({ answer_rate_below: share, short_call_share_above: share, abandon_share_above: share });

const spoken = z.string().max(MAX_FIRST_MESSAGE_CHARS);
const time = z.iso.datetime({ offset: true }).nullable();

const dispositions = z
  .array(z.enum(DISPOSITIONS))
  .min(1)
  .max(DISPOSITIONS.length)
  .transform((given) => DISPOSITIONS.filter((one) => given.includes(one)));

const recurrence = z
  .object({
    cron: z
      .string()
      .max(100)
      .transform((text) => text.trim().replaceAll(/\s+/g, ' '))
      .superRefine((text, context) => {
        const problem = cronProblem(text);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      })
      .meta({
        description: 'Minute, hour, day of the month, month, day of the week (0: Sunday); all of them have to match',
        examples: ['0 9 * * 1'],
      }),
    time_zone: timeZone,
    dispositions: dispositions
      .nullable()
      .default(null)
      .meta({ description: 'Of the last call; null: every contact that has not opted out and is on no list' }),
  })
  .meta({ description: 'When contacts that are done are called anew' });

/** Said where a campaign does not say otherwise. */
const DISCLOSURE_LINE = 'This is an automated call with an AI assistant.';

const machineDetection = z.enum(['off', 'hangup', 'message', 'continue']).meta({
  description: 'Anything but `off` is refused: this server does not tell machines from people',
});

/** Every field a client may set. */
const fields = {
  name: z.string().trim().min(1).max(255),
  phone_agent_id: id,
  trunk_ids: z
    .array(id)
    .min(1)
    .max(20)
    .transform((ids) => [...new Set(ids)])
    .nullable()
    .meta({ description: "Outbound trunks; null: the agent's" }),
  caller_numbers: z
    .array(phoneNumber)
    .max(1000)
    .transform((numbers) => [...new Set(numbers)])
    .meta({ description: 'In rotation, each one that a trunk of the campaign owns; empty: as the trunks say' }),
  local_presence: z
    .boolean()
    .meta({ description: "Of `caller_numbers` one of the called number's area, where there is one" }),
  starts_at: time.meta({
    description:
      'Started, resumed or called anew before, the campaign is `scheduled` until then. Of one that runs: 409 for a time to come',
  }),
  ends_at: time.meta({ description: 'Nobody is called from then on' }),
  ring_timeout_seconds: z
    .int()
    .min(5)
    .max(120)
    .meta({ description: 'The whole time of ringing lies within the window' }),
  max_concurrent_calls: z.int().min(1).max(100_000).nullable(),
  calls_per_second: z.number().min(0.01).max(1000).nullable().meta({ description: 'null: as the trunks allow' }),
  machine_detection: machineDetection,
  voicemail_message: spoken.nullable(),
  disclosure_line: spoken.min(1).nullable().meta({ description: 'Said before the first message; null: nothing' }),
  variables: variables
    .refine((values) => Object.keys(values).length <= 100, 'must not be more than 100')
    .meta({ description: 'Fill `{{name}}` for contacts that have no value of their own' }),
  require_consent: z.boolean().meta({ description: 'Nobody is called without a `consent_id`' }),
  goal_field: z.string().trim().min(1).max(200).nullable(),
  recurrence: recurrence.nullable(),
};

const endsAfterStart = {
  path: ['ends_at'],
  message: 'must be after starts_at',
};

const ordered = (body: { starts_at?: string | null | undefined; ends_at?: string | null | undefined }): boolean =>
  body.starts_at == null || body.ends_at == null || Date.parse(body.ends_at) > Date.parse(body.starts_at);

export const campaignCreate = z
  .object({
    ...fields,
    trunk_ids: fields.trunk_ids.default(null),
    caller_numbers: fields.caller_numbers.default([]),
    local_presence: fields.local_presence.default(false),
    window: windowInput.prefault({}),
    starts_at: time.default(null),
    ends_at: fields.ends_at.default(null),
    ring_timeout_seconds: fields.ring_timeout_seconds.default(45),
    max_concurrent_calls: fields.max_concurrent_calls.default(null),
    calls_per_second: fields.calls_per_second.default(null),
    retry: retry.prefault({}),
    caps: caps.prefault({}),
    machine_detection: machineDetection.default('off'),
    voicemail_message: fields.voicemail_message.default(null),
    disclosure_line: fields.disclosure_line.default(DISCLOSURE_LINE),
    variables: fields.variables.default({}),
    require_consent: fields.require_consent.default(true),
    auto_pause: autoPause.prefault({}),
    goal_field: fields.goal_field.default(null),
    recurrence: fields.recurrence.default(null),
  })
  .refine(ordered, endsAfterStart)
  .meta({ id: 'CampaignCreate' });

export const campaignPatch = z
  .object({
    ...fields,
    window: windowInput,
    retry,
    caps,
    auto_pause: autoPause,
  })
  .partial()
  .refine(ordered, endsAfterStart)
  .meta({ id: 'CampaignPatch' });

const shareAnswer = z.number().nullable();

export const campaign = z
  .object({
    id,
    org_id: id,
    name: z.string(),
    status: z.enum(CAMPAIGN_STATUSES),
    status_reason: z.string().nullable().meta({ description: 'Why it has paused itself' }),
    phone_agent_id: id.nullable().meta({ description: 'null: the agent was deleted' }),
    trunk_ids: z.array(id).nullable(),
    caller_numbers: z.array(e164),
    local_presence: z.boolean(),
    window: z.object({
      days: z.array(z.enum(WEEK_DAYS)),
      start: z.string(),
      end: z.string(),
      holidays: z.array(z.string()),
      default_time_zone: z.string().nullable(),
      legal: z.enum(['default', 'off']),
    }),
    starts_at: isoTimestamp.nullable(),
    ends_at: isoTimestamp.nullable(),
    ring_timeout_seconds: z.int(),
    max_concurrent_calls: z.int().nullable(),
    calls_per_second: z.number().nullable(),
    retry: z.object({ ...retryRules, max_attempts_total: z.int() }),
    caps: z.object({ per_number_per_day: z.int(), per_number_per_week: z.int() }),
    machine_detection: z.literal('off'),
    voicemail_message: z.string().nullable(),
    disclosure_line: z.string().nullable(),
    variables: z.record(z.string(), z.string()),
    require_consent: z.boolean(),
    auto_pause: z.object({
      answer_rate_below: shareAnswer,
      short_call_share_above: shareAnswer,
      abandon_share_above: shareAnswer,
    }),
    goal_field: z.string().nullable(),
    recurrence: z
      .object({ cron: z.string(), time_zone: z.string(), dispositions: z.array(z.enum(DISPOSITIONS)).nullable() })
      .nullable(),
    pace: z.number().meta({ description: 'Of its calls per second: 1, or less where `auto_pause` has slowed it' }),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'Campaign' });

export const campaignPage = pageOf(campaign).meta({ id: 'CampaignPage' });
export const campaignDeleted = z.object({ id, deleted: z.literal(true) }).meta({ id: 'CampaignDeleted' });

export const campaignRedial = z.object({ dispositions }).meta({ id: 'CampaignRedial' });

const campaignEvent = z
  .object({
    id,
    at: isoTimestamp,
    type: z.enum(CAMPAIGN_EVENTS),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What belongs to it, such as a figure and its limit' }),
  })
  .meta({ id: 'CampaignEvent' });

export const campaignEventPage = pageOf(campaignEvent).meta({ id: 'CampaignEventPage' });

const MAX_JSON_CONTACTS = 1000;
const given = z.string().max(4000).nullish();

/** Each is looked at by itself: what is wrong with one is told in its row. */
export const campaignContactsCreate = z
  .object({
    contacts: z
      .array(
        z.object({
          phone_number: z
            .string()
            .max(200)
            .meta({ examples: ['+15559876543'] }),
          name: given,
          time_zone: given.meta({ description: 'IANA; without one it is told by the number' }),
          consent_id: given.meta({ description: 'Where the consent to be called is on record' }),
          priority: z.int().optional().meta({ description: 'The highest is called first; 0 when left out' }),
          variables: z.record(z.string().min(1).max(64), z.string().max(4000)).optional(),
        }),
      )
      .min(1)
      .max(MAX_JSON_CONTACTS),
  })
  .meta({ id: 'CampaignContactsCreate' });

/** As an import has them; what is wrong with them is told in its words. */
export const campaignContactPatch = z
  .object({
    phone_number: z.string().max(200).optional().meta({ description: 'Cannot be changed: no other one than it has' }),
    name: given,
    time_zone: given,
    consent_id: given,
    priority: z.int().optional(),
    variables: z
      .record(z.string().min(1).max(64), z.string().max(4000).nullable())
      .optional()
      .meta({ description: 'Name by name; null takes one away, those that are not named stay as they are' }),
  })
  .meta({ id: 'CampaignContactPatch' });

const refusedRow = z.object({
  row: z.int().meta({ description: 'As a spreadsheet counts, the header being 1; in JSON the first contact is 1' }),
  phone_number: z.string().nullable(),
  result: z.enum(ROW_REFUSALS),
  reason: z.string(),
});

const importCounts = {
  accepted: z.int(),
  duplicates: z.int(),
  invalid: z.int(),
  suppressed: z.int().meta({ description: 'On a list of numbers that are not called' }),
};

export const campaignImport = z
  .object({
    import_id: id,
    ...importCounts,
    rows: z.array(refusedRow).meta({ description: 'The first 1,000 that were not accepted' }),
  })
  .meta({ id: 'CampaignImportResult' });

const campaignUpload = z
  .object({
    id,
    status: z.enum(IMPORT_STATUSES),
    ...importCounts,
    problem: z.string().nullable().meta({ description: 'Why it did not come to its end' }),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
  })
  .meta({ id: 'CampaignImport' });

export const campaignImportPage = pageOf(campaignUpload).meta({ id: 'CampaignImportPage' });

export const importReportQuery = z.object({
  import_id: id.optional().meta({ description: 'Default: the last import' }),
});

export const campaignContact = z
  .object({
    id,
    phone_number: e164,
    name: z.string().nullable(),
    time_zone: z.string().nullable(),
    consent_id: z.string().nullable(),
    priority: z.int(),
    variables: z.record(z.string(), z.string()),
    state: z.enum(CAMPAIGN_CONTACT_STATES),
    result: z.enum(CAMPAIGN_CONTACT_RESULTS).nullable(),
    due_at: isoTimestamp.nullable().meta({ description: 'Not called before; null: not to be called' }),
    attempts: z.int(),
    last_disposition: z.enum(DISPOSITIONS).nullable(),
    last_attempt_at: isoTimestamp.nullable(),
    last_decision: z
      .object({
        at: isoTimestamp,
        called: z.boolean(),
        reason: z.string().nullable().meta({ description: 'null: it was called' }),
        detail: z.string().nullable(),
        call_id: id.nullable(),
      })
      .nullable()
      .meta({ description: 'Why it was called, or not, when it was last looked at; null: it was not yet' }),
    created_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'CampaignContact' });

export const campaignContactPage = pageOf(campaignContact).meta({ id: 'CampaignContactPage' });

export const campaignContactsQuery = pageQuery.extend({
  state: z.enum(CAMPAIGN_CONTACT_STATES).optional(),
  result: z.enum(CAMPAIGN_CONTACT_RESULTS).optional(),
  phone_number: z.string().max(40).optional(),
});

export const campaignReport = z.string().meta({ description: 'CSV' });

export type CampaignPatchRequest = z.output<typeof campaignPatch>;
export type CampaignResource = z.output<typeof campaign>;
export type CampaignEventResource = z.output<typeof campaignEvent>;
export type CampaignImportResource = z.output<typeof campaignImport>;
export type CampaignUploadResource = z.output<typeof campaignUpload>;
export type CampaignContactResource = z.output<typeof campaignContact>;
export type CampaignContactPatchRequest = z.output<typeof campaignContactPatch>;
export type CampaignContactsRequest = z.output<typeof campaignContactsCreate>;
