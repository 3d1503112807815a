import { z } from 'zod';
import { DNC_SOURCES, ROW_REFUSALS } from '../../contract/campaigns';
import { e164, id, isoTimestamp, pageOf, pageQuery, phoneNumber } from './primitives';

const list = z
  .enum(['organisation', 'global'])
  .default('organisation')
  .meta({ description: 'The organisation’s list; or, for an operator’s key alone, the one of the whole server' });

const reason = z.string().trim().min(1).max(500).nullish();

export const dncListQuery = z.object({ list });

export const dncQuery = pageQuery.extend({ list, phone_number: z.string().max(40).optional() });

export const dncCreate = z.object({ phone_number: phoneNumber, reason }).meta({ id: 'DncCreate' });

export const dncEntry = z
  .object({
    id,
    phone_number: e164,
    reason: z.string().nullable(),
    source: z.enum(DNC_SOURCES).meta({ description: '`opt_out`: the person said so in a call' }),
    created_at: isoTimestamp,
  })
  .meta({ id: 'DncEntry' });

export const dncPage = pageOf(dncEntry).meta({ id: 'DncPage' });
export const dncDeleted = z.object({ id, deleted: z.literal(true) }).meta({ id: 'DncDeleted' });

export const dncImport = z
  .object({
    entries: z
      .array(
        z.object({
          phone_number: z
            .string()
            .max(200)
            .meta({ examples: ['+15559876543'] }),
          reason,
        }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'DncImport' });

export const dncImported = z
  .object({
    accepted: z.int(),
    duplicates: z.int().meta({ description: 'On the list already' }),
    invalid: z.int(),
    rows: z
      .array(
        z.object({
          row: z.int(),
          phone_number: z.string().nullable(),
          result: z.enum(ROW_REFUSALS).exclude(['suppressed']),
          reason: z.string(),
        }),
      )
      .meta({ description: 'The first 1,000 that were not accepted' }),
  })
  .meta({ id: 'DncImported' });

export type DncResource = z.output<typeof dncEntry>;
