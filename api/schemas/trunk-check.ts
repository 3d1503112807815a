import { z } from 'zod';
import { id, isoTimestamp, phoneNumber } from './primitives';

export const outboundTrunkCheckRequest = z
  .object({
    test_number: phoneNumber.nullable().default(null).meta({
      description:
        'Is called once through the trunk, hears a tone for 3 s and is hung up on; a call like any other, also on the bill. Without it nobody is called',
    }),
  })
  .meta({ id: 'OutboundTrunkCheckRequest' });

const checkStep = z.object({
  step: z.string().meta({ examples: ['dns', 'transport', 'options', 'authentication'] }),
  ok: z.boolean().nullable().meta({ description: 'null: not carried out, or it did not tell; `detail` says why' }),
  duration_ms: z.number().min(0).nullable(),
  detail: z
    .string()
    .meta({ description: 'For people, as cause and remedy; may be worded otherwise in another release' }),
  cause: z.string().nullable(),
  remedy: z.string().nullable(),
});

export const trunkCheck = z
  .object({
    ok: z
      .boolean()
      .nullable()
      .meta({ description: 'false: a step failed; null: none did, and the other side was never heard' }),
    checked_at: isoTimestamp,
    node: z.string().meta({ description: 'The media node that looked; of an inbound trunk all of them, with commas' }),
    steps: z.array(checkStep),
    call_id: id.nullable().meta({ description: 'The test call, in `/phone/calls`; null: none was placed' }),
  })
  .meta({ id: 'TrunkCheck' });

export type TrunkCheckResource = z.output<typeof trunkCheck>;
