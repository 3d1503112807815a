import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { TRUNK_HEALTH_REASONS, TRUNK_HEALTH_STATES, TRUNK_REGISTRATION_STATES } from '../../contract/trunk-health';
import { e164, headerSafe, id, mediaTimeoutSeconds, phoneNumber, isoTimestamp } from './primitives';

const HOST_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;

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

const BY_NAME = 'null: as the name servers say of the host (RFC 3263: NAPTR for the transport, SRV for the port)';

const fields = {
  name: z.string().trim().min(1).max(255),
  host: sipHost,
  port: z.int().min(1).max(65_535).nullable().meta({ description: BY_NAME }),
  transport: z.enum(['udp', 'tcp']).nullable().meta({ description: BY_NAME }),
  username: headerSafe(255),
  password: headerSafe(1000),
  caller_number: phoneNumber,
  media_timeout_seconds: mediaTimeoutSeconds,
  register: z
    .boolean()
    .meta({ description: 'A media node registers with the carrier (REGISTER), which may then call us' }),
  options_ping: z
    .boolean()
    .meta({ description: 'A media node asks the carrier every 30 s whether it is there (OPTIONS)' }),
};

export const outboundTrunkCreate = z
  .object({
    ...fields,
    port: fields.port.default(5060),
    transport: fields.transport.default('udp'),
    media_timeout_seconds: mediaTimeoutSeconds.default(DEFAULT_MEDIA_TIMEOUT_SECONDS),
    register: fields.register.default(false),
    options_ping: fields.options_ping.default(true),
  })
  .meta({ id: 'OutboundTrunkCreate' });

export const outboundTrunkName = z.object({ name: fields.name }).meta({ id: 'OutboundTrunkName' });

export const outboundTrunkPatch = z.object(fields).partial().meta({ id: 'OutboundTrunkPatch' });

export const outboundTrunkSummary = z
  .object({ id, name: z.string(), created_at: isoTimestamp, updated_at: isoTimestamp })
  .meta({ id: 'OutboundTrunkSummary' });

const trunkHealth = z
  .object({
    state: z.enum(TRUNK_HEALTH_STATES),
    since: isoTimestamp.meta({ description: 'Of the last change of the state' }),
    checked_at: isoTimestamp.nullable().meta({ description: 'Of the last ping' }),
    reasons: z
      .array(z.object({ code: z.enum(TRUNK_HEALTH_REASONS), message: z.string() }))
      .meta({ description: 'Why the state is not healthy' }),
    rtt_ms: z.int().nullable().meta({ description: 'Round trip of the last ping that was answered' }),
    node: z.string().nullable().meta({ description: 'The media node that looks after the trunk' }),
    registration: z
      .object({
        state: z.enum(TRUNK_REGISTRATION_STATES),
        expires_at: isoTimestamp.nullable().meta({ description: 'Until then the carrier knows us' }),
        last_status: z.int().nullable(),
        last_error: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'null without `register`' }),
  })
  .meta({ id: 'TrunkHealth' });

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
    register: fields.register,
    options_ping: fields.options_ping,
    health: trunkHealth,
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

/** Of a change: without what others make of the trunk. */
export const outboundTrunkChanged = outboundTrunk.omit({ agents: true, health: true });

export type OutboundTrunkResource = z.output<typeof outboundTrunkChanged>;
export type TrunkHealthResource = z.output<typeof trunkHealth>;
export type OutboundTrunkSummary = z.output<typeof outboundTrunkSummary>;
