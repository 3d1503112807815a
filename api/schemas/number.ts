import { z } from 'zod';
import { NUMBER_METHODS, NUMBER_STATUSES } from '../../contract/number-verification';
import { e164, id, phoneNumber, isoTimestamp, warnings } from './primitives';

const method = z.enum(NUMBER_METHODS);

export const numberCreate = z
  .object({
    phone_number: phoneNumber,
    method: method.optional().meta({
      description:
        '`outbound_code`: it is called, and the code confirmed (the default with several organisations). `inbound_call`: the ' +
        'next call to it on the inbound trunk verifies it (the default on a server with one organisation; elsewhere where the ' +
        "operator allows it). `attest`: an operator's key (scope `org:write`) vouches for it",
    }),
    trunk_id: id
      .optional()
      .meta({ description: 'Outbound trunk that the code is called through; default the only one' }),
  })
  .meta({ id: 'PhoneNumberCreate' });

export const numberConfirm = z
  .object({
    code: z
      .string()
      .max(40)
      .transform((text) => text.replaceAll(/[\s-]/g, ''))
      .pipe(z.string().regex(/^\d{6}$/, 'must be six digits'))
      .meta({ description: 'Six digits; spaces and hyphens are dropped', examples: ['481516'], pattern: '^[0-9 -]+$' }),
  })
  .meta({ id: 'PhoneNumberConfirm' });

export const number = z
  .object({
    id,
    org_id: id,
    phone_number: e164,
    status: z.enum(NUMBER_STATUSES),
    method,
    phone_agent_id: id.nullable().meta({ description: 'The agent it is assigned to' }),
    trunk_id: id.nullable().meta({ description: 'Outbound trunk that the code is called through' }),
    call_id: id.nullable().meta({ description: 'The call with the code, once it is placed' }),
    code_expires_at: isoTimestamp.nullable(),
    expires_at: isoTimestamp.nullable().meta({ description: 'When a pending verification ends by itself' }),
    failure: z
      .object({ code: z.string().meta({ description: 'Stable, snake_case' }), message: z.string() })
      .nullable()
      .meta({ description: 'Why it failed or expired' }),
    verified_at: isoTimestamp.nullable(),
    created_at: isoTimestamp,
    warnings,
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

export type NumberCreateRequest = z.output<typeof numberCreate>;
export type PhoneNumberRecord = z.output<typeof number>;
