import { z } from 'zod';
import { ROUTING_RULES } from '../../contract/directory';
import { id } from './primitives';

const routingStep = z.object({
  rule: z.enum([...ROUTING_RULES, 'request_uri']),
  matched: z.boolean(),
  reason: z.string().meta({ description: 'For people; may be worded otherwise in another release' }),
});

export const routing = z
  .object({
    steps: z
      .array(routingStep)
      .meta({ description: 'The rules that were looked at, in order, up to the one that matched' }),
    agent_id: id.nullable(),
  })
  .meta({ id: 'Routing' });

export type RoutingResource = z.output<typeof routing>;
