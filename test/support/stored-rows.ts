/** Rows that the product only writes, for tests that look at what it wrote. */
import type { DataSource } from 'typeorm';
import { AuditEntry } from '../../store/entities/audit-entry';
import { CallAttempt } from '../../store/entities/call-attempt';

/** In the order they were begun. */
export function storedAttempts(dataSource: DataSource, callId: string): Promise<CallAttempt[]> {
  return dataSource.manager.find(CallAttempt, { where: { callId }, order: { n: 'ASC' } });
}

/** Oldest first. */
export function storedAudit(dataSource: DataSource, orgId: string): Promise<AuditEntry[]> {
  return dataSource.manager.find(AuditEntry, { where: { orgId }, order: { at: 'ASC', id: 'ASC' } });
}
