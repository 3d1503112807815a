import { z } from 'zod';
import { SUPERVISE_MODES } from '../../contract/supervision';

const DEFAULT_RING_TIMEOUT_SECONDS = 30;

export const callSupervise = z
  .object({
    destination: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .meta({ description: 'Who is called: an E.164 number, or a SIP URI such as sip:lead@pbx.example.com' }),
    mode: z.enum(SUPERVISE_MODES).meta({
      description:
        '`listen`: hears both sides. `whisper`: is heard by the agent too, as instructions, or by whoever the caller was handed ' +
        'over to, and never by the caller. `barge`: is heard by everybody',
    }),
    ring_timeout_seconds: z
      .int()
      .min(5)
      .max(60)
      .default(DEFAULT_RING_TIMEOUT_SECONDS)
      .meta({ description: 'How long the phone of the supervisor may ring' }),
  })
  .meta({ id: 'CallSuperviseRequest' });

export type CallSuperviseRequest = z.output<typeof callSupervise>;
