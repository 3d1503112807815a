import { z } from 'zod';
import { MAX_FIRST_MESSAGE_CHARS } from './primitives';

export const callSay = z
  .object({
    text: z.string().trim().min(1).max(MAX_FIRST_MESSAGE_CHARS),
    interrupt: z
      .boolean()
      .default(false)
      .meta({ description: 'Cuts off what the agent is saying; else it is said after that' }),
  })
  .meta({ id: 'CallSay' });

export const callInstruct = z
  .object({
    text: z.string().trim().min(1).max(4000).meta({ description: 'What the agent knows from now on in this call' }),
  })
  .meta({ id: 'CallInstruct' });

export const callDtmf = z
  .object({
    digits: z
      .string()
      .regex(/^[0-9*#A-Dw]{1,32}$/, 'must be 1 to 32 of 0-9, *, #, A-D, and w for a pause of half a second')
      .meta({ description: 'Keys to press; `w` is half a second of nothing' }),
  })
  .meta({ id: 'CallDtmf' });
