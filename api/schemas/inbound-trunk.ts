import { z } from 'zod';
import { AGENT_ID_HEADER, DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { e164, id, mediaTimeoutSeconds, phoneNumber, isoTimestamp } from './primitives';

export const inboundTrunkCreate = z
  .object({
    phone_numbers: z
      .array(phoneNumber)
      .max(1000)
      .transform((numbers) => [...new Set(numbers)])
      .optional()
      .meta({ description: 'Default: all verified numbers of the organisation' }),
    krisp_enabled: z.boolean().default(true).meta({ description: 'Noise suppression' }),
    media_timeout_seconds: mediaTimeoutSeconds.default(DEFAULT_MEDIA_TIMEOUT_SECONDS),
  })
  .meta({ id: 'InboundTrunkCreate' });

export const inboundTrunk = z
  .object({
    id,
    sip_endpoint: z.string().meta({ description: 'Where the phone system sends its calls; UDP or TCP' }),
    auth_username: z.string(),
    auth_password: z.string(),
    phone_numbers: z.array(e164),
    krisp_enabled: z.boolean(),
    media_timeout_seconds: mediaTimeoutSeconds,
    agent_id_header: z.literal(AGENT_ID_HEADER),
    auth: z.literal('digest'),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
  })
  .meta({ id: 'InboundTrunk' });

export const inboundTrunkDeleted = z
  .object({ id, deleted: z.literal(true), detached: z.object({ phone_numbers: z.array(e164) }) })
  .meta({ id: 'InboundTrunkDeleted' });

export type InboundTrunkResource = z.output<typeof inboundTrunk>;
