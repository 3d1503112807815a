/** Campaigns as the contract shows them, and as they are stored. */
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignContact, LastDecision } from '../../store/entities/campaign-contact';
import type { CampaignImport } from '../../store/entities/campaign-import';
import type { CampaignPatch } from '../../store/repositories/campaign-repository';
import type { ValidationIssue } from '../errors';
import type {
  CampaignContactResource,
  CampaignPatchRequest,
  CampaignResource,
  CampaignUploadResource,
} from '../schemas/campaign';

const isoOf = (date: Date | null): string | null => (date === null ? null : date.toISOString());
const dateOf = (text: string | null | undefined): Date | null | undefined => (text == null ? text : new Date(text));

export function campaignView(row: Campaign): CampaignResource {
  const { defaultTimeZone, ...times } = row.dialWindow;
  const rules = Object.entries(row.retry.rules).map(([disposition, { max, delaysMinutes }]) => [
    disposition,
    { max, delays_minutes: [...delaysMinutes] },
  ]);
  return {
    id: row.id,
    org_id: row.orgId,
    name: row.name,
    status: row.status,
    status_reason: row.statusReason,
    phone_agent_id: row.agentId,
    trunk_ids: row.trunkIds,
    caller_numbers: row.callerNumbers,
    local_presence: row.localPresence,
    window: { ...times, days: [...times.days], holidays: [...times.holidays], default_time_zone: defaultTimeZone },
    starts_at: isoOf(row.startsAt),
    ends_at: isoOf(row.endsAt),
    ring_timeout_seconds: row.ringTimeoutSeconds,
    max_concurrent_calls: row.maxConcurrentCalls,
    calls_per_second: row.callsPerSecond,
    retry: {
      ...Object.fromEntries(rules),
      max_attempts_total: row.retry.maxAttemptsTotal,
    } as CampaignResource['retry'],
    caps: { per_number_per_day: row.caps.perNumberPerDay, per_number_per_week: row.caps.perNumberPerWeek },
    machine_detection: 'off',
    voicemail_message: row.voicemailMessage,
    disclosure_line: row.disclosureLine,
    variables: row.variables,
    require_consent: row.requireConsent,
    auto_pause: {
      answer_rate_below: row.autoPause.answerRateBelow,
      short_call_share_above: row.autoPause.shortCallShareAbove,
      abandon_share_above: row.autoPause.abandonShareAbove,
    },
    goal_field: row.goalField,
    recurrence: row.recurrence && {
      cron: row.recurrence.cron,
      time_zone: row.recurrence.timeZone,
      dispositions: row.recurrence.dispositions === null ? null : [...row.recurrence.dispositions],
    },
    pace: row.pace,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** What is left out of the request is left out. */
export function campaignFields(body: CampaignPatchRequest): CampaignPatch {
  const { window, retry, caps, auto_pause: autoPause } = body;
  return {
    name: body.name,
    agentId: body.phone_agent_id,
    trunkIds: body.trunk_ids,
    callerNumbers: body.caller_numbers,
    localPresence: body.local_presence,
    dialWindow: window && withZone(window),
    startsAt: dateOf(body.starts_at),
    endsAt: dateOf(body.ends_at),
    ringTimeoutSeconds: body.ring_timeout_seconds,
    maxConcurrentCalls: body.max_concurrent_calls,
    callsPerSecond: body.calls_per_second,
    retry: retry && { rules: rulesOf(retry.rules), maxAttemptsTotal: retry.total },
    caps: caps && { perNumberPerDay: caps.per_number_per_day, perNumberPerWeek: caps.per_number_per_week },
    machineDetection: body.machine_detection,
    voicemailMessage: body.voicemail_message,
    disclosureLine: body.disclosure_line,
    variables: body.variables,
    requireConsent: body.require_consent,
    autoPause: autoPause && {
      answerRateBelow: autoPause.answer_rate_below,
      shortCallShareAbove: autoPause.short_call_share_above,
      abandonShareAbove: autoPause.abandon_share_above,
    },
    goalField: body.goal_field,
    recurrence: body.recurrence && {
      cron: body.recurrence.cron,
      timeZone: body.recurrence.time_zone,
      dispositions: body.recurrence.dispositions,
    },
  };
}

function withZone({
  default_time_zone: defaultTimeZone,
  ...times
}: NonNullable<CampaignPatchRequest['window']>): Campaign['dialWindow'] {
  return { ...times, defaultTimeZone };
}

function rulesOf(rules: NonNullable<CampaignPatchRequest['retry']>['rules']): Campaign['retry']['rules'] {
  const entries = Object.entries(rules).map(([disposition, { max, delays_minutes: delaysMinutes }]) => [
    disposition,
    { max, delaysMinutes },
  ]);
  return Object.fromEntries(entries) as Campaign['retry']['rules'];
}

/** Whatever the rules say, see `contactOutcome`. */
const NEVER_RETRIED = ['answered', 'uncertain'] as const;

/** Said with every answer that stores a campaign. */
export function campaignWarnings(campaign: CampaignResource): ValidationIssue[] {
  const idle = (path: string, message: string): ValidationIssue => ({ path, message });
  return [
    ...(campaign.voicemail_message === null
      ? []
      : [idle('voicemail_message', 'Stored; no machine is told from a person yet')]),
    ...(campaign.goal_field === null ? [] : [idle('goal_field', 'Stored; no fields are collected yet')]),
    ...(campaign.window.legal === 'off'
      ? [idle('window.legal', 'Legal hours are not kept: only the window counts')]
      : []),
    ...(campaign.local_presence && campaign.caller_numbers.length === 0
      ? [idle('local_presence', 'Stored; without caller_numbers there is none to choose from')]
      : []),
    ...NEVER_RETRIED.filter((disposition) => (campaign.retry[disposition]?.max ?? 0) > 0).map((disposition) =>
      idle(`retry.${disposition}`, 'Stored; whose call has ended so is not called again'),
    ),
  ];
}

export function campaignContactView(row: CampaignContact): CampaignContactResource {
  return {
    id: row.id,
    phone_number: row.phoneNumber,
    name: row.name,
    time_zone: row.timeZone,
    consent_id: row.consentId,
    priority: row.priority,
    variables: row.variables,
    state: row.state,
    result: row.result,
    due_at: isoOf(row.dueAt),
    attempts: row.attempts,
    last_disposition: row.lastDisposition,
    last_attempt_at: isoOf(row.lastAttemptAt),
    last_decision: row.lastDecision && decisionView(row.lastDecision),
    created_at: row.createdAt.toISOString(),
  };
}

function decisionView({
  at,
  called,
  reason,
  detail,
  call_id: callId,
}: LastDecision): CampaignContactResource['last_decision'] {
  return { at, called, reason: reason ?? null, detail: detail ?? null, call_id: callId ?? null };
}

/** A running import writes its numbers every few seconds; one that has been silent for so long lost its process. */
const SILENCE_MS = 60_000;
const LOST = 'The server was stopped meanwhile; send the upload again';

export function campaignImportView(row: CampaignImport): CampaignUploadResource {
  const { id, accepted, duplicates, invalid, suppressed, createdAt, updatedAt } = row;
  const lost = row.status === 'running' && Date.now() - updatedAt.getTime() > SILENCE_MS;
  return {
    id,
    status: lost ? 'aborted' : row.status,
    accepted,
    duplicates,
    invalid,
    suppressed,
    problem: lost ? LOST : row.problem,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
