import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { e164, id, phoneNumber, isoTimestamp } from './primitives';

const HOST_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?)*\.?$/;

/** A name or address a SIP request can be sent to: no port, no scheme, no user part. */
const sipHost = z
  .string()
  .trim()
  .max(253)
  .refine((host) => HOST_NAME.test(host) || isIpv6Host(host), {
    message: 'must be a host name or IP address, without scheme and port',
  })
  .meta({ description: 'Host name or IP address of the SIP provider', examples: ['sip.provider.com'] });

/** With or without brackets; a zone means something on one machine only. */
function isIpv6Host(host: string): boolean {
  const address = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  return isIPv6(address) && !address.includes('%');
}

/** Nothing that ends a line in any reader's eyes: it ends up in header fields. Any regular expression reads the pattern. */
const headerSafe = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex -- they are what is refused
    .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'must not contain control characters');

export const outboundTrunkCreate = z
  .object({
    name: z.string().trim().min(1).max(255),
    host: sipHost,
    port: z.int().min(1).max(65_535).default(5060),
    transport: z.enum(['udp', 'tcp']).default('udp'),
    username: headerSafe(255),
    password: headerSafe(1000),
    caller_number: phoneNumber,
  })
  .meta({ id: 'OutboundTrunkCreate' });

export const outboundTrunkSummary = z
  .object({ id, name: z.string(), created_at: isoTimestamp, updated_at: isoTimestamp })
  .meta({ id: 'OutboundTrunkSummary' });

export const outboundTrunk = z
  .object({
    id,
    name: z.string(),
    host: z.string(),
    port: z.int(),
    transport: z.enum(['udp', 'tcp', 'tls']),
    username: z.string(),
    has_password: z.literal(true),
    caller_number: e164,
    agents: z.array(z.object({ id, name: z.string() })).meta({ description: 'Agents that dial through it' }),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
  })
  .meta({ id: 'OutboundTrunk' });

export const outboundTrunkDeleted = z
  .object({
    id,
    deleted: z.literal(true),
    detached: z.object({ agents: z.array(z.object({ id, name: z.string() })) }),
  })
  .meta({ id: 'OutboundTrunkDeleted' });

export type OutboundTrunkResource = z.output<typeof outboundTrunk>;
export type OutboundTrunkSummary = z.output<typeof outboundTrunkSummary>;
