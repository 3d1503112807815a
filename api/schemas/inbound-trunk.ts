import { z } from 'zod';
import { AGENT_ID_HEADER, DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { e164, id, mediaTimeoutSeconds, phoneNumber, isoTimestamp, warnings } from './primitives';
import { codecs, dtmfMode, ipAllowlist, maxCallsPerSecond, maxConcurrentCalls, srtp } from './trunk-settings';

const phoneNumbers = z
  .array(phoneNumber)
  .max(1000)
  .transform((numbers) => [...new Set(numbers)]);
const auth = z.enum(['digest', 'ip']).meta({
  description:
    'digest: by user name and password, and from `ip_allowlist` alone where that is not empty; ip: by the source address, without a challenge',
});
const mediaSource = z.enum(['same_host', 'any']).meta({
  description:
    'Whose audio is taken: from the host in SDP or the one that signals, or (any) from the first host that sends some',
});
const krispEnabled = z.boolean().meta({ description: 'Noise suppression' });

export const inboundTrunkCreate = z
  .object({
    phone_numbers: phoneNumbers.optional().meta({ description: 'Default: all verified numbers of the organisation' }),
    krisp_enabled: krispEnabled.default(true),
    media_timeout_seconds: mediaTimeoutSeconds.default(DEFAULT_MEDIA_TIMEOUT_SECONDS),
  })
  .meta({ id: 'InboundTrunkCreate' });

export const inboundTrunkPatch = z
  .object({
    krisp_enabled: krispEnabled,
    media_timeout_seconds: mediaTimeoutSeconds,
    auth,
    ip_allowlist: ipAllowlist,
    media_source: mediaSource,
    codecs,
    dtmf_mode: dtmfMode,
    srtp,
    max_concurrent_calls: maxConcurrentCalls,
    max_calls_per_second: maxCallsPerSecond,
  })
  .partial()
  .meta({ id: 'InboundTrunkPatch' });

export const credentialsRotate = z
  .object({
    grace_seconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(3600)
      .meta({ description: 'How long the old password lets calls in too; 0: no longer' }),
  })
  .meta({ id: 'CredentialsRotate' });

export const trunkNumbersAdd = z.object({ phone_numbers: phoneNumbers }).meta({ id: 'InboundTrunkNumbersAdd' });

export const trunkNumberParams = z.object({ phone_number: phoneNumber });

const propagating = z
  .literal(true)
  .optional()
  .meta({ description: 'Not every media node acts on it yet; without it, all do' });

const registration = z
  .object({
    contact: z.string().meta({ description: 'The SIP URI that is called' }),
    transport: z.enum(['udp', 'tcp', 'tls']),
    source: z.string().meta({ description: 'Address and port that the REGISTER came from; calls go there' }),
    path: z.array(z.string()).meta({ description: 'Proxies on the way to it (RFC 3327)' }),
    user_agent: z.string().nullable(),
    registered_at: isoTimestamp,
    refreshed_at: isoTimestamp,
    expires_at: isoTimestamp,
  })
  .meta({ id: 'SipRegistration' });

export type SipRegistrationResource = z.output<typeof registration>;

export const inboundTrunk = z
  .object({
    id,
    sip_endpoint: z.string().meta({ description: 'Where the phone system sends its calls; UDP or TCP' }),
    auth_username: z.string(),
    auth_password: z.string(),
    previous_password_valid_until: isoTimestamp
      .nullable()
      .meta({ description: 'Until then the password before the last rotation lets calls in, too' }),
    phone_numbers: z.array(e164),
    krisp_enabled: z.boolean(),
    media_timeout_seconds: mediaTimeoutSeconds,
    agent_id_header: z.literal(AGENT_ID_HEADER),
    auth,
    ip_allowlist: z.array(z.string()),
    media_source: mediaSource,
    codecs,
    dtmf_mode: dtmfMode,
    srtp: z.literal('off'),
    max_concurrent_calls: maxConcurrentCalls,
    max_calls_per_second: maxCallsPerSecond,
    registrations: z
      .array(registration)
      .optional()
      .meta({ description: 'Phone systems that are registered now, the newest first; only on GET' }),
    created_at: isoTimestamp,
    updated_at: isoTimestamp,
    propagating,
    warnings,
  })
  .meta({ id: 'InboundTrunk' });

export const inboundTrunkDeleted = z
  .object({ id, deleted: z.literal(true), detached: z.object({ phone_numbers: z.array(e164) }), propagating })
  .meta({ id: 'InboundTrunkDeleted' });

export type InboundTrunkResource = z.output<typeof inboundTrunk>;
