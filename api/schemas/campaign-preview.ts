import { z } from 'zod';
import { CONTACT_REFUSALS } from '../../store/campaigns/contact-check';
import { e164, id, isoTimestamp } from './primitives';

/** Beside what speaks against a contact itself. */
const reason = z.enum([...CONTACT_REFUSALS, 'campaign', 'behind_others', 'due_later', 'calling', 'done']);

const PROBLEMS = ['no_agent', 'no_trunk', 'window_never_opens', 'invalid_placeholder', 'not_started', 'ended'] as const;

export const campaignPreview = z
  .object({
    at: isoTimestamp,
    until: isoTimestamp,
    problems: z
      .array(z.object({ code: z.enum(PROBLEMS), message: z.string() }))
      .meta({ description: 'What keeps the whole campaign from calling' }),
    capacity: z.int().nullable().meta({
      description: 'Calls that can begin in that time by the calls per second of campaign and trunks; null: no limit',
    }),
    would_call: z.int(),
    contacts: z
      .array(z.object({ id, phone_number: e164, zones: z.array(z.string()), earliest_at: isoTimestamp }))
      .meta({ description: 'The first 100 that would be called, in their order' }),
    not_called: z.array(
      z.object({
        reason: reason.meta({
          description:
            'The first one of each contact: `campaign`: see `problems`; `behind_others`: beyond the capacity; `due_later`: after the hour',
        }),
        contacts: z.int(),
        example: z.object({ id, phone_number: e164, detail: z.string() }).nullable(),
      }),
    ),
    examined: z.int().meta({ description: 'Contacts that were looked at, in the order of calling: 20,000 at most' }),
    not_examined: z.int().meta({ description: 'Those behind them' }),
  })
  .meta({ id: 'CampaignPreview' });

export type CampaignPreviewResource = z.output<typeof campaignPreview>;
export type PreviewReason = z.output<typeof reason>;
