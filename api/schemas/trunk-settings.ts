/** Settings that both kinds of trunk have, or that need more than a type. */
import { z } from 'zod';
import { AUDIO_CODECS } from '../../contract/audio-codecs';
import { DTMF_MODES } from '../../contract/directory';
import { parseNetwork } from '../../ops/address-network';
import { headerSafe } from './primitives';

/** Wider networks are nobody's: whoever writes one means everybody. */
const WIDEST_PREFIX = { 4: 8, 6: 16 } as const;
const MAX_NETWORKS = 100;

const network = z
  .string()
  .max(64)
  .transform((text, context) => {
    const parsed = parseNetwork(text);
    if (parsed !== null && parsed.prefix >= WIDEST_PREFIX[parsed.family]) return parsed.text;
    const message =
      parsed === null
        ? 'must be an IP address or a network in CIDR notation, such as 192.0.2.0/24'
        : `too wide: /${WIDEST_PREFIX[parsed.family]} at most`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

export const ipAllowlist = z
  .array(network)
  .max(MAX_NETWORKS)
  .transform((networks) => [...new Set(networks)])
  .meta({
    description:
      'Addresses and networks (CIDR) that requests of its calls may come from; empty: from anywhere, which `auth` ip does not allow',
    examples: [['192.0.2.10/32', '198.51.100.0/24']],
  });

export const codecs = z
  .array(z.enum(AUDIO_CODECS))
  .min(1)
  .max(AUDIO_CODECS.length)
  .refine((names) => new Set(names).size === names.length, 'must not name a codec twice')
  .nullable()
  .meta({
    description:
      "The codecs that are used, best first: the order of our offers, and what we choose of the peer's. null: all; an offer's first is chosen",
  });

export const dtmfMode = z.enum(DTMF_MODES).meta({
  description:
    'How keys are pressed: by telephone-event (`rfc4733`), by INFO `application/dtmf-relay` (`info`), or (`auto`) by telephone-event where it was agreed on and else by INFO. Keys of the other side are understood either way',
});

export const maxConcurrentCalls = z
  .int()
  .min(1)
  .max(100_000)
  .nullable()
  .meta({ description: 'Calls at the same time; null: no limit of the trunk' });

export const maxCallsPerSecond = z
  .number()
  .min(0.1)
  .max(1000)
  .nullable()
  .meta({ description: 'Calls that begin in a second; null: no limit of the trunk' });

/** Stored would be worse than refused: a call in the clear where its owner believes it is encrypted. */
export const srtp = z
  .enum(['off', 'optional', 'required'])
  .transform((mode, context) => {
    if (mode === 'off') return mode;
    context.addIssue({
      code: 'custom',
      message: 'This server does not encrypt audio; srtp can be off alone',
      params: { code: 'srtp_unavailable' },
    });
    return z.NEVER;
  })
  .meta({ description: 'Encryption of audio; this server offers `off` alone and answers the others with 422' });

/** What may be added to an INVITE: extensions, none of what the protocol itself is made of. */
const EXTENSION_HEADERS: readonly string[] = [
  'accept-language',
  'alert-info',
  'call-info',
  'diversion',
  'history-info',
  'organization',
  'p-access-network-info',
  'p-asserted-identity',
  'p-charge-info',
  'p-preferred-identity',
  'priority',
  'privacy',
  'remote-party-id',
  'subject',
  'user-to-user',
];
/** A token of RFC 3261 §25.1, without what no header field has in its name. */
const X_HEADER = /^x-[a-z0-9][a-z0-9._-]{0,60}$/i;
/** Written by transfers. */
const OWN_HEADER = /^x-opencx-/i;
const MAX_HEADERS = 10;
/** So much fits beside the rest into what UDP carries in pieces that arrive. */
const MAX_HEADER_CHARS = 1000;

export const inviteHeaders = z
  .record(z.string().min(1).max(64), headerSafe(500))
  .transform((headers, context) => {
    const issue = (path: readonly string[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const names = Object.keys(headers);
    if (names.length > MAX_HEADERS) issue([], `must not have more than ${MAX_HEADERS} headers`);
    const chars = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    if (chars > MAX_HEADER_CHARS) issue([], `must not be longer than ${MAX_HEADER_CHARS} characters in all`);
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(headers)) {
      const known = X_HEADER.test(name) ? !OWN_HEADER.test(name) : EXTENSION_HEADERS.includes(name.toLowerCase());
      if (!known) issue([name], `is not allowed: X-… (not X-OPENCX-…) or one of ${EXTENSION_HEADERS.join(', ')}`);
      if (seen.has(name.toLowerCase())) issue([name], 'is there twice');
      if (value.trim() === '') issue([name], 'must not be empty');
      seen.add(name.toLowerCase());
    }
    return headers;
  })
  .meta({
    description:
      'Further headers of each INVITE, by name: `X-…`, P-Asserted-Identity, Diversion and the like. They are shown in answers and in the audit log: no place for secrets',
    examples: [{ 'X-Account': '4711' }],
  });
