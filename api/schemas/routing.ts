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

export const routePreviewRequest = z
  .object({
    dialed_number: z
      .string()
      .max(256)
      .meta({
        description:
          "User part of the INVITE's Request-URI, as the carrier sends it: in E.164, without `+`, national …",
        examples: ['15551234567'],
      }),
    headers: z
      .record(z.string().max(128), z.string().max(1024))
      .default({})
      .meta({ description: 'Headers of the INVITE; of them `X-OPENCX-AGENT-ID` counts' }),
  })
  .meta({ id: 'RoutePreviewRequest' });

export const routePreview = routing
  .extend({
    rule: z.enum(ROUTING_RULES).nullable().meta({ description: 'The one that matched' }),
    dialed_number: z.string().nullable().meta({ description: 'As the call would be recorded' }),
    sip_status: z
      .union([z.literal(404), z.literal(480)])
      .nullable()
      .meta({ description: 'How the INVITE would be refused; null when an agent answers' }),
  })
  .meta({ id: 'RoutePreview' });

export type RoutingResource = z.output<typeof routing>;
export type RoutePreview = z.output<typeof routePreview>;
