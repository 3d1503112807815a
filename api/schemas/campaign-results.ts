/** What became of a campaign: its numbers, and what is on record of each contact. */
import { z } from 'zod';
import { CAMPAIGN_CONTACT_RESULTS, CAMPAIGN_CONTACT_STATES, DNC_SOURCES } from '../../contract/campaigns';
import { DISPOSITIONS } from '../../contract/endings';
import { campaignContact } from './campaign';
import { id, isoTimestamp } from './primitives';

const countsOf = <Name extends string>(names: readonly Name[]): z.ZodObject<Record<Name, z.ZodInt>> =>
  z.object(Object.fromEntries(names.map((name) => [name, z.int()])) as Record<Name, z.ZodInt>);

const connects = {
  dials: z.int(),
  answered: z.int(),
  rate: z.number().nullable().meta({ description: 'Answered of those that came to something; null: none did' }),
};

export const campaignStats = z
  .object({
    contacts: z.int().meta({ description: 'All of them' }),
    states: countsOf(CAMPAIGN_CONTACT_STATES),
    results: countsOf(CAMPAIGN_CONTACT_RESULTS).meta({ description: 'Of those that are done' }),
    left_out: z.record(z.string(), z.int()).meta({
      description:
        'Of those that are `suppressed`, and of the `exhausted` ones that were never to be called: how many for which reason, as `last_decision` has it',
    }),
    attempts: z.int().meta({ description: 'Dials of all of them' }),
    outcomes: countsOf(DISPOSITIONS).meta({ description: 'Dialled calls that have ended, by how' }),
    answer_seizure_ratio: z.number().nullable().meta({
      description:
        'Answered calls, of a person or a machine, of all that came to something: `canceled`, `expired` and `uncertain` did not. null: none did',
    }),
    minutes: z.number().meta({ description: 'From answer to end, of all calls that have ended' }),
    connect_rate: z.object({
      by_hour: z
        .array(z.object({ hour: z.int().nullable(), ...connects }))
        .meta({ description: 'By the hour of the day, 0 to 23, where the contact is; null: no zone is known' }),
      by_attempt: z
        .array(z.object({ attempt: z.int(), ...connects }))
        .meta({ description: 'By how many times the contact had been dialled, this time among them' }),
    }),
    goal_reached: z.null().meta({ description: 'No fields are collected yet' }),
  })
  .meta({ id: 'CampaignStats' });

export const campaignContactParams = z.object({ id, contact_id: id });

const legalHours = {
  kept: z.boolean().meta({ description: 'false: only the window of the campaign counted, and the rest is null' }),
  rule: z.string().nullable().meta({ description: '`federal`, or the region whose rule it is' }),
  source: z.string().nullable().meta({ description: 'Where the law says so' }),
  certainty: z
    .enum(['statute', 'secondary'])
    .nullable()
    .meta({ description: 'Whether the text of the law was read, or what publishers say it is' }),
  checked: z.string().nullable().meta({ description: 'When it was last compared with its source' }),
};

export const contactEvidence = z
  .object({
    contact: campaignContact,
    do_not_call: z
      .object({
        organisation: z
          .object({ since: isoTimestamp, source: z.enum(DNC_SOURCES), reason: z.string().nullable() })
          .nullable(),
        server: z.object({ since: isoTimestamp }).nullable(),
      })
      .meta({ description: 'On which list the number is now, and since when; null: it is not' }),
    legal_hours: z
      .object({
        at: isoTimestamp
          .nullable()
          .meta({ description: 'Of that look; null: none is on record, and so it is set now' }),
        ...legalHours,
      })
      .meta({ description: 'The hours of the law by which the number was looked at last before a dial' }),
    decisions: z
      .array(
        z.object({
          id,
          at: isoTimestamp,
          dialled: z.boolean(),
          call_id: id.nullable(),
          legal_hours: z
            .object(legalHours)
            .nullable()
            .meta({ description: 'By which it was decided then, whatever is set now; null: not on record' }),
          checks: z.array(
            z.object({
              check: z.string(),
              passed: z.boolean(),
              detail: z.string(),
              source: z.string().nullable().meta({ description: 'Of the window: where the law says so' }),
            }),
          ),
        }),
      )
      .meta({ description: 'Each time it was looked at, oldest first' }),
    attempts: z
      .array(
        z.object({
          call_id: id,
          sip_call_id: z.string(),
          state: z.enum(['intended', 'sent', 'uncertain', 'finished', 'not_sent']),
          at: isoTimestamp,
          sent_at: isoTimestamp.nullable(),
          disposition: z.enum(DISPOSITIONS).nullable(),
          sip_final_status: z.int().nullable(),
          answered_at: isoTimestamp.nullable(),
          ended_at: isoTimestamp.nullable(),
          duration_seconds: z.number().nullable(),
        }),
      )
      .meta({ description: 'Each dial, oldest first: one is one SIP Call-ID' }),
  })
  .meta({ id: 'CampaignContactEvidence' });

export type CampaignStatsResource = z.output<typeof campaignStats>;
export type ContactEvidenceResource = z.output<typeof contactEvidence>;
