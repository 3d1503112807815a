import { z } from 'zod';
import { SCOPES } from '../route';
import { id, isoTimestamp, pageOf } from './primitives';

const scopes = z
  .union([z.literal('full'), z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)], {
    error: `must be "full", or a list of ${SCOPES.join(', ')}`,
  })
  .meta({ description: '`full`, or what the key may do; `write` includes `read`' });

export const apiKeyCreate = z
  .object({
    name: z.string().min(1).max(255),
    scopes,
    expires_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .meta({ description: 'Default: with the key that makes it; null: never' }),
  })
  .meta({ id: 'ApiKeyCreate' });

export const apiKeyCreated = z
  .object({
    id,
    name: z.string(),
    key: z.string().meta({ description: 'Shown here and never again' }),
    scopes,
    expires_at: isoTimestamp.nullable(),
    created_at: isoTimestamp,
  })
  .meta({ id: 'ApiKeyCreated' });

export const apiKey = z
  .object({
    id,
    name: z.string(),
    prefix: z.string(),
    last4: z.string(),
    scopes,
    expires_at: isoTimestamp.nullable(),
    last_used_at: isoTimestamp.nullable().meta({ description: 'Written once a minute at most' }),
    created_at: isoTimestamp,
    revoked_at: isoTimestamp.nullable(),
  })
  .meta({ id: 'ApiKey' });

export const apiKeyPage = pageOf(apiKey).meta({ id: 'ApiKeyPage' });

export const apiKeyDeleted = z.object({ id, deleted: z.literal(true) }).meta({ id: 'ApiKeyDeleted' });

export type ApiKeyResource = z.output<typeof apiKey>;
