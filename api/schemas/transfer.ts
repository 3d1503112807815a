import { z } from 'zod';
import { TRANSFER_MODES, TRANSFER_ORIGINS } from '../../contract/transfers';
import { id } from './primitives';

export const callTransfer = z
  .object({
    destination_id: id.optional().meta({ description: "One that is assigned to the call's agent" }),
    type: z.enum(['phone', 'sip']).optional(),
    value: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: 'An E.164 number, or a SIP URI, by `type`' }),
    mode: z.enum(TRANSFER_MODES).optional().meta({ description: "Default: the destination's, else auto" }),
    announce: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: "The agent says it to the caller before, to its end. Default: the destination's" }),
    briefing: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .optional()
      .meta({
        description:
          'By mode warm: what the agent says to whoever answers, before it asks whether they take the caller. ' +
          'Default: for whom the call is, and of whom',
      }),
    ring_timeout_seconds: z
      .int()
      .min(5)
      .max(120)
      .optional()
      .meta({ description: "Default: the destination's, else 30" }),
  })
  .refine(
    ({ destination_id, type, value }) => (destination_id === undefined) === (value !== undefined && type !== undefined),
    {
      message: 'give either destination_id, or type and value',
    },
  )
  .refine(
    ({ destination_id, type, value }) => destination_id === undefined || (type === undefined && value === undefined),
    {
      message: 'give either destination_id, or type and value',
    },
  )
  .meta({ id: 'CallTransferRequest' });

export const callTransferAccepted = z
  .object({
    transfer_id: id.meta({ description: 'In the events and in `transfer` of the call that tell what became of it' }),
  })
  .meta({ id: 'CallTransferAccepted' });

/** The last transfer of a call. */
export const transferView = z.object({
  id,
  by: z.enum(TRANSFER_ORIGINS).meta({ description: 'Who asked for it' }),
  mode: z.enum(['refer', 'bridge', 'warm']).meta({ description: 'How it was done, or tried last' }),
  outcome: z.string().nullable().meta({ description: 'Null while it is under way' }),
  sip_status: z.int().nullable(),
  duration_ms: z.number().nullable(),
  failed_step: z.string().nullable(),
});

export type CallTransferRequest = z.output<typeof callTransfer>;
