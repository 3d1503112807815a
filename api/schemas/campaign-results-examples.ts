import { DISPOSITIONS } from '../../contract/endings';
import type { Disposition } from '../../contract/endings';
import { campaignContactExample } from './campaign-examples';
import type { CampaignStatsResource, ContactEvidenceResource } from './campaign-results';

const CALL_ID = '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d61';
const AT = '2026-01-12T15:00:00.000Z';
const ANSWERED_AT = '2026-01-12T15:00:09.000Z';
const ENDED_AT = '2026-01-12T15:01:39.000Z';
const SOURCE = '47 CFR § 64.1200(c)(1); 16 CFR § 310.4(c)';

const contact = {
  ...campaignContactExample,
  state: 'done' as const,
  result: 'reached' as const,
  due_at: null,
  attempts: 1,
  last_disposition: 'answered' as const,
  last_attempt_at: AT,
  last_decision: { at: AT, called: true, reason: null, detail: null, call_id: CALL_ID },
};

const NONE = Object.fromEntries(DISPOSITIONS.map((name) => [name, 0])) as Record<Disposition, number>;

export const campaignStatsExample: CampaignStatsResource = {
  contacts: 1000,
  states: { pending: 870, waiting: 40, calling: 10, done: 80 },
  results: { reached: 55, exhausted: 18, opted_out: 2, suppressed: 5, uncertain: 0, canceled: 0 },
  left_out: { no_consent: 4, suppressed: 1 },
  attempts: 130,
  outcomes: { ...NONE, answered: 60, busy: 20, no_answer: 40 },
  answer_seizure_ratio: 0.5,
  minutes: 90.5,
  connect_rate: {
    by_hour: [
      { hour: 9, dials: 70, answered: 30, rate: 0.4286 },
      { hour: 10, dials: 50, answered: 30, rate: 0.6 },
    ],
    by_attempt: [
      { attempt: 1, dials: 110, answered: 55, rate: 0.5 },
      { attempt: 2, dials: 10, answered: 5, rate: 0.5 },
    ],
  },
  goal_reached: null,
};

export const campaignReportExample =
  'id,phone_number,name,time_zone,consent_id,priority,state,result,attempts,last_disposition,last_attempt_at,due_at,' +
  'last_call_id,talk_seconds,plan\r\n' +
  `${contact.id},+15559876543,Ada Byron,America/New_York,form-2025-11-03,5,done,reached,1,answered,${AT},,${CALL_ID},90,gold\r\n`;

const LAW = { kept: true, rule: 'federal', source: SOURCE, certainty: 'statute', checked: '2026-11-29' } as const;

export const contactEvidenceExample: ContactEvidenceResource = {
  contact,
  do_not_call: { organisation: null, server: null },
  legal_hours: { at: AT, ...LAW },
  decisions: [
    {
      id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d62',
      at: AT,
      dialled: true,
      call_id: CALL_ID,
      legal_hours: LAW,
      checks: [
        { check: 'suppressed', passed: true, detail: 'The number is on no do-not-call list', source: null },
        {
          check: 'outside_window',
          passed: true,
          detail: 'America/New_York: 10:00, legal hours federal',
          source: SOURCE,
        },
      ],
    },
  ],
  attempts: [
    {
      call_id: CALL_ID,
      sip_call_id: '2f0c1f0e-5a55-8c6e-9a51-0b6a3a0f7d11',
      state: 'finished',
      at: AT,
      sent_at: AT,
      disposition: 'answered',
      sip_final_status: 200,
      answered_at: ANSWERED_AT,
      ended_at: ENDED_AT,
      duration_seconds: 90,
    },
  ],
};

export const evidenceCsvExample =
  'contact_id,phone_number,consent_id,do_not_call,do_not_call_since,at,dialled,checks,failed,legal_source,call_id,sip_call_ids,' +
  'disposition,answered_at,ended_at\r\n' +
  `${contact.id},+15559876543,form-2025-11-03,,,${AT},true,"suppressed: The number is on no do-not-call list | outside_window: America/New_York: 10:00, legal hours federal",,` +
  `${SOURCE},${CALL_ID},2f0c1f0e-5a55-8c6e-9a51-0b6a3a0f7d11,answered,${ANSWERED_AT},${ENDED_AT}\r\n`;
