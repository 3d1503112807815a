import { z } from 'zod';
import { e164, id, phoneNumber, isoTimestamp } from './primitives';

const method = z.enum(['outbound_code', 'inbound_call', 'attest']);

export const numberCreate = z
  .object({
    phone_number: phoneNumber,
    method: z
      .literal('attest')
      .meta({ description: "`attest`: an operator's key (scope `org:write`) vouches for the number" }),
  })
  .meta({ id: 'PhoneNumberCreate' });

export const number = z
  .object({
    id,
    org_id: id,
    phone_number: e164,
    status: z.enum(['pending', 'verified', 'failed', 'expired']),
    method,
    phone_agent_id: id.nullable().meta({ description: 'The agent it is assigned to' }),
    code_expires_at: isoTimestamp.nullable(),
    verified_at: isoTimestamp.nullable(),
    created_at: isoTimestamp,
  })
  .meta({ id: 'PhoneNumber' });

export const numberDeleted = z
  .object({
    id,
    deleted: z.literal(true),
    detached: z.object({
      agents: z.array(z.object({ id, name: z.string() })),
      inbound_trunk: z.boolean().meta({ description: 'It was on the inbound trunk' }),
    }),
  })
  .meta({ id: 'PhoneNumberDeleted' });

export type PhoneNumberRecord = z.output<typeof number>;
