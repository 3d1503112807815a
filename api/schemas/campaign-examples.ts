/** Of campaigns and of the lists of numbers that are not called. */
import type { CampaignContactResource, CampaignEventResource, CampaignResource } from './campaign';
import type { CampaignPreviewResource } from './campaign-preview';
import type { DncResource } from './dnc';

const AGENT_ID = '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d01';
const AT = '2026-01-05T09:00:00.000Z';
const CAMPAIGN_ID = '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d41';
const IMPORT_ID = '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d42';

export const campaignCreateExample = {
  name: 'Renewals, January',
  phone_agent_id: AGENT_ID,
  window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], start: '09:00', end: '18:00', holidays: ['2026-01-19'] },
  starts_at: '2026-01-12T14:00:00Z',
  ends_at: '2026-02-01T00:00:00Z',
  calls_per_second: 1,
  max_concurrent_calls: 20,
  retry: { no_answer: { max: 2, delays_minutes: [240, 1440] }, busy: { max: 2, delays_minutes: [30] } },
  variables: { company: 'Example Ltd' },
};

export const campaignExample: CampaignResource = {
  id: CAMPAIGN_ID,
  org_id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d00',
  name: 'Renewals, January',
  status: 'draft',
  status_reason: null,
  phone_agent_id: AGENT_ID,
  trunk_ids: null,
  caller_numbers: [],
  local_presence: false,
  window: {
    days: ['mon', 'tue', 'wed', 'thu', 'fri'],
    start: '09:00',
    end: '18:00',
    holidays: ['2026-01-19'],
    default_time_zone: null,
    legal: 'default',
  },
  starts_at: '2026-01-12T14:00:00.000Z',
  ends_at: '2026-02-01T00:00:00.000Z',
  ring_timeout_seconds: 45,
  max_concurrent_calls: 20,
  calls_per_second: 1,
  retry: {
    no_answer: { max: 2, delays_minutes: [240, 1440] },
    busy: { max: 2, delays_minutes: [30] },
    max_attempts_total: 5,
  },
  caps: { per_number_per_day: 3, per_number_per_week: 7 },
  machine_detection: 'off',
  voicemail_message: null,
  disclosure_line: 'This is an automated call with an AI assistant.',
  variables: { company: 'Example Ltd' },
  require_consent: true,
  auto_pause: { answer_rate_below: null, short_call_share_above: null, abandon_share_above: null },
  goal_field: null,
  recurrence: null,
  pace: 1,
  created_at: AT,
  updated_at: AT,
  warnings: [],
};

export const campaignEventExample: CampaignEventResource = {
  id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d45',
  at: AT,
  type: 'redial',
  data: { dispositions: ['no_answer', 'busy'], contacts: 120 },
};

export const campaignContactsExample = {
  contacts: [
    {
      phone_number: '+15559876543',
      name: 'Ada Byron',
      time_zone: 'America/New_York',
      consent_id: 'form-2025-11-03',
      priority: 5,
      variables: { plan: 'gold' },
    },
  ],
};

export const campaignContactsCsvExample =
  'phone_number,name,time_zone,consent_id,priority,plan\r\n' +
  '+15559876543,Ada Byron,America/New_York,form-2025-11-03,5,gold\r\n';

const COUNTS = { accepted: 1, duplicates: 0, invalid: 1, suppressed: 0 };

export const campaignImportExample = {
  import_id: IMPORT_ID,
  ...COUNTS,
  rows: [
    {
      row: 3,
      phone_number: '12',
      result: 'invalid' as const,
      reason: 'phone_number: an emergency number or a short code',
    },
  ],
};

export const campaignImportPageExample = {
  items: [{ id: IMPORT_ID, status: 'completed' as const, ...COUNTS, problem: null, created_at: AT, updated_at: AT }],
  next: null,
};

export const importReportExample =
  'row,phone_number,result,reason\r\n3,12,invalid,phone_number: an emergency number or a short code\r\n';

export const campaignContactExample: CampaignContactResource = {
  id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d43',
  phone_number: '+15559876543',
  name: 'Ada Byron',
  time_zone: 'America/New_York',
  consent_id: 'form-2025-11-03',
  priority: 5,
  variables: { plan: 'gold' },
  state: 'pending',
  result: null,
  due_at: AT,
  attempts: 0,
  last_disposition: null,
  last_attempt_at: null,
  last_decision: null,
  created_at: AT,
};

export const campaignContactPatchExample = {
  time_zone: 'America/Chicago',
  variables: { plan: 'silver', seats: '3', campaign: null },
};

export const changedContactExample: CampaignContactResource = {
  ...campaignContactExample,
  time_zone: 'America/Chicago',
  variables: { plan: 'silver', seats: '3' },
  warnings: [],
};

export const dncExample: DncResource = {
  id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d51',
  phone_number: '+15559876543',
  reason: 'Asked by letter',
  source: 'api',
  created_at: AT,
};

export const dncCsvExample = 'phone_number,reason\r\n+15559876543,Asked by letter\r\n';

export const dncImportedExample = { accepted: 1, duplicates: 0, invalid: 0, rows: [] };

export const campaignPreviewExample: CampaignPreviewResource = {
  at: AT,
  until: '2026-01-05T10:00:00.000Z',
  problems: [],
  capacity: 3600,
  would_call: 1,
  contacts: [
    {
      id: campaignContactExample.id,
      phone_number: '+15559876543',
      zones: ['America/New_York'],
      earliest_at: '2026-01-05T09:00:00.000Z',
    },
  ],
  not_called: [
    {
      reason: 'no_consent',
      contacts: 12,
      example: {
        id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d44',
        phone_number: '+15559876544',
        detail: 'The contact has no consent_id',
      },
    },
    { reason: 'due_later', contacts: 3, example: null },
  ],
  examined: 13,
  not_examined: 0,
};
