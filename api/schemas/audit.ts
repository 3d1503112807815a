import { z } from 'zod';
import { id, isoTimestamp, pageOf, pageQuery } from './primitives';

const word = z.string().min(1).max(100);
const time = z.iso.datetime({ offset: true });

export const auditQuery = pageQuery
  .extend({
    resource: word.optional().meta({ description: 'Kind of what was changed, such as `agent`' }),
    resource_id: word.optional(),
    action: word.optional().meta({ description: 'Such as `create`, `update`, `delete`' }),
    created_after: time.optional().meta({ description: 'From this time on' }),
    created_before: time.optional().meta({ description: 'Before this time' }),
  })
  .meta({ id: 'AuditQuery' });

export const auditEntry = z
  .object({
    id,
    at: isoTimestamp,
    key_id: id.nullable().meta({ description: 'The key that did it' }),
    request_id: z.string().nullable(),
    action: z.string(),
    resource: z.string(),
    resource_id: z.string().nullable(),
    before: z.record(z.string(), z.unknown()).nullable().meta({ description: 'Without secrets' }),
    after: z.record(z.string(), z.unknown()).nullable().meta({ description: 'Without secrets' }),
  })
  .meta({ id: 'AuditEntry' });

export const auditPage = pageOf(auditEntry).meta({ id: 'AuditPage' });
