import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { e164, id, mediaTimeoutSeconds, phoneNumber, isoTimestamp } from './primitives';

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

/** Nothing that ends a line in any reader's eyes: they end up in header fields. */
const headerSafe = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex -- what must not be there is named, in a form that Python reads too
    .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'must not contain control characters');

const BY_NAME = 'null: as the name servers say of the host (RFC 3263: NAPTR for the transport, SRV for the port)';

export const outboundTrunkCreate = z
  .object({
    name: z.string().trim().min(1).max(255),
    host: sipHost,
    port: z.int().min(1).max(65_535).nullable().default(5060).meta({ description: BY_NAME }),
    transport: z.enum(['udp', 'tcp']).nullable().default('udp').meta({ description: BY_NAME }),
    username: headerSafe(255),
    password: headerSafe(1000),
    caller_number: phoneNumber,
    media_timeout_seconds: mediaTimeoutSeconds.default(DEFAULT_MEDIA_TIMEOUT_SECONDS),
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
    port: z.int().nullable().meta({ description: BY_NAME }),
    transport: z.enum(['udp', 'tcp', 'tls']).nullable().meta({ description: BY_NAME }),
    username: z.string(),
    has_password: z.literal(true),
    caller_number: e164,
    media_timeout_seconds: mediaTimeoutSeconds,
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
