import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS, NUMBER_FORMATS } from '../../contract/directory';
import { TRUNK_HEALTH_REASONS, TRUNK_HEALTH_STATES, TRUNK_REGISTRATION_STATES } from '../../contract/trunk-health';
import { country, e164, headerSafe, id, mediaTimeoutSeconds, phoneNumber, isoTimestamp, warnings } from './primitives';
import { codecs, dtmfMode, inviteHeaders, maxCallsPerSecond, maxConcurrentCalls, srtp } from './trunk-settings';

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

const port = z.int().min(1).max(65_535).nullable().meta({ description: BY_NAME });
const transport = z.enum(['udp', 'tcp']).nullable().meta({ description: BY_NAME });
const ofSrv = z.int().min(0).max(65_535);

const gateway = z.object({
  host: sipHost,
  port: port.default(5060),
  transport: transport.default('udp'),
  priority: ofSrv.default(0).meta({ description: 'The lowest is tried first' }),
  weight: ofSrv.default(1).meta({ description: 'Share of the calls among those of one priority' }),
});

/** Each may be left out when a trunk is made; `null` and empty mean what they say in the descriptions. */
const settings = {
  caller_numbers: z
    .array(phoneNumber)
    .max(1000)
    .transform((numbers) => [...new Set(numbers)])
    .meta({ description: 'Further numbers that calls may come from: `caller_number` of a call is one of these' }),
  gateways: z.array(gateway).max(10).meta({
    description:
      'Hosts that are called in the place of `host`, the next when one cannot be reached, answers 500, 502 or 503, or says nothing for 5 s; empty: `host` alone',
  }),
  codecs,
  srtp,
  dtmf_mode: dtmfMode,
  max_concurrent_calls: maxConcurrentCalls,
  max_calls_per_second: maxCallsPerSecond,
  number_format: z.enum(NUMBER_FORMATS).meta({
    description:
      'Of the called and the calling number: `+15551234567`, `15551234567`, as dialled in the country of `caller_number`, or (called number) `number_prefix` and the digits of E.164',
  }),
  number_prefix: z
    .string()
    .max(16)
    .regex(/^[0-9*#+]*$/, 'must be of digits, *, # and +')
    .meta({ description: 'For `number_format` prefix' }),
  from_host: sipHost.nullable().meta({ description: 'Host of From; null: `host`', examples: ['sip.example.com'] }),
  headers: inviteHeaders,
  pass_caller_id: z.boolean().meta({ description: 'Of a transferred call: name the original caller to the carrier' }),
  transport_strict: z.boolean().meta({
    description: 'An INVITE too long for UDP goes by it all the same; otherwise by TCP where the carrier takes it',
  }),
  allowed_countries: z.array(country).max(300).nullable().meta({
    description: 'ISO codes of the countries called through it, of those that may be called at all; null: all of these',
  }),
};

const fields = {
  name: z.string().trim().min(1).max(255),
  host: sipHost,
  port,
  transport,
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
  .extend(z.object(settings).partial().shape)
  .extend({
    // What carriers grant who has not asked for more.
    max_concurrent_calls: maxConcurrentCalls.default(10),
    max_calls_per_second: maxCallsPerSecond.default(1),
  })
  .meta({ id: 'OutboundTrunkCreate' });

export const outboundTrunkName = z.object({ name: fields.name }).meta({ id: 'OutboundTrunkName' });

export const outboundTrunkPatch = z
  .object({ ...fields, ...settings })
  .partial()
  .meta({ id: 'OutboundTrunkPatch' });

export const outboundTrunkSummary = z
  .object({ id, name: z.string(), created_at: isoTimestamp, updated_at: isoTimestamp, warnings })
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
    caller_numbers: z.array(e164),
    gateways: z.array(
      z.object({
        host: z.string(),
        port: z.int().nullable(),
        transport: z.enum(['udp', 'tcp']).nullable(),
        priority: z.int(),
        weight: z.int(),
      }),
    ),
    codecs,
    dtmf_mode: dtmfMode,
    srtp: z.literal('off'),
    max_concurrent_calls: maxConcurrentCalls,
    max_calls_per_second: maxCallsPerSecond,
    number_format: settings.number_format,
    number_prefix: z.string(),
    from_host: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
    pass_caller_id: settings.pass_caller_id,
    transport_strict: settings.transport_strict,
    allowed_countries: z.array(z.string()).nullable(),
    register: fields.register,
    options_ping: fields.options_ping,
    health: trunkHealth,
    agents: z.array(z.object({ id, name: z.string() })).meta({ description: 'Agents that dial through it' }),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    warnings,
  })
  .meta({ id: 'OutboundTrunk' });

export const outboundTrunkDeleted = z
  .object({
    id,
    deleted: z.literal(true),
    detached: z.object({
      agents: z.array(z.object({ id, name: z.string() })),
      campaigns: z.array(z.object({ id, name: z.string() })),
    }),
  })
  .meta({ id: 'OutboundTrunkDeleted' });

/** Of a change: without what others make of the trunk. */
export const outboundTrunkChanged = outboundTrunk.omit({ agents: true, health: true });

export type OutboundTrunkResource = z.output<typeof outboundTrunkChanged>;
export type OutboundTrunkRequest = z.output<typeof outboundTrunkPatch>;
export type TrunkHealthResource = z.output<typeof trunkHealth>;
export type OutboundTrunkSummary = z.output<typeof outboundTrunkSummary>;
