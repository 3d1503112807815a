import { z } from 'zod';
import { TRANSFER_MODES } from '../../contract/transfers';

import { headerSafe, id, isoTimestamp, warnings } from './primitives';

const TARGET_TYPES = ['phone', 'sip'] as const;

const fields = {
  name: z.string().trim().min(1).max(255).meta({ description: 'What the agent calls it' }),
  type: z.enum(TARGET_TYPES),
  value: z.string().trim().min(1).max(500).meta({ description: 'An E.164 number, or a SIP URI, by `type`' }),
  mode: z
    .enum(TRANSFER_MODES)
    .meta({ description: 'How the caller gets there; auto: by REFER where the phone system takes it' }),
  ring_timeout_seconds: z.int().min(5).max(120),
  announce: z.string().trim().min(1).max(500).nullable().meta({
    description:
      'The agent says it to the caller before, to its end, where a request for a transfer has no words of its own',
  }),
  username: headerSafe(255).nullable().meta({ description: 'Where the SIP target asks for credentials' }),
  password: headerSafe(1000).nullable(),
};

export const transferDestinationCreate = z
  .object({
    ...fields,
    mode: fields.mode.default('auto'),
    ring_timeout_seconds: fields.ring_timeout_seconds.default(30),
    announce: fields.announce.default(null),
    username: fields.username.default(null),
    password: fields.password.default(null),
  })
  .meta({ id: 'TransferDestinationCreate' });

export const transferDestinationPut = z.object(fields).partial().meta({ id: 'TransferDestinationPut' });

export const transferDestination = z
  .object({
    id,
    name: z.string(),
    type: z.enum(TARGET_TYPES),
    value: z.string(),
    mode: z.enum(TRANSFER_MODES),
    ring_timeout_seconds: z.int(),
    announce: z.string().nullable(),
    username: z.string().nullable(),
    has_password: z.boolean(),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'TransferDestination' });

const keypad = z
  .string()
  .regex(/^\d$/, 'must be one of the keys 0 to 9')
  .nullable()
  .meta({ description: 'A caller of the agent who presses it is transferred there; of each key one' });

/** As an agent has it. */
export const agentDestination = transferDestination.extend({ keypad }).meta({ id: 'AgentDestination' });

export const transferDestinationDeleted = z
  .object({
    id,
    deleted: z.literal(true),
    detached: z.object({ agents: z.array(z.object({ id, name: z.string() })) }),
  })
  .meta({ id: 'TransferDestinationDeleted' });

export const destinationAssign = z
  .object({
    destination_id: id.optional(),
    create: transferDestinationCreate.optional(),
    keypad: keypad.optional().meta({ description: 'Left out: as it was, and at first none' }),
  })
  .refine((body) => (body.destination_id === undefined) !== (body.create === undefined), {
    message: 'give either destination_id or create',
  })
  .meta({ id: 'DestinationAssign' });

export const destinationAssigned = z
  .object({ destination_id: id, keypad, warnings })
  .meta({ id: 'DestinationAssigned' });

export const destinationUnassigned = z.object({ id, deleted: z.literal(true) }).meta({ id: 'DestinationUnassigned' });

export type TransferDestinationFields = z.output<typeof transferDestinationPut>;
export type TransferDestinationResource = z.output<typeof transferDestination>;
export type AgentDestinationResource = z.output<typeof agentDestination>;
