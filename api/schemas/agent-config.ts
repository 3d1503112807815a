import { z } from 'zod';

import { e164, id } from './primitives';

export const agentConfig = z
  .object({
    phone_agent_id: id,
    inbound_numbers: z.array(z.object({ id, phone_number: e164 })),
    outbound_trunk: z.object({ id, name: z.string() }).nullable(),
    transfer_destinations: z.array(
      z.object({
        id,
        name: z.string(),
        type: z.enum(['phone', 'sip']),
        value: z.string(),
        keypad: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AgentConfig' });

export const inboundNumbersPut = z
  .object({
    phone_number_ids: z
      .array(id)
      .max(1000)
      .transform((ids) => [...new Set(ids)])
      .meta({ description: 'The complete set; an empty list clears it' }),
  })
  .meta({ id: 'InboundNumbersPut' });

export const outboundTrunkPut = z.object({ trunk_id: id.nullable() }).meta({ id: 'OutboundTrunkPut' });

export type AgentConfig = z.output<typeof agentConfig>;
