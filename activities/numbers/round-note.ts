import type { PhoneNumber } from '../../store/entities/phone-number';
import type { AuditRepository } from '../../store/repositories/audit-repository';

/** That a round has ended, for the audit log: nobody's key did it. */
export async function noteEnd(audit: Pick<AuditRepository, 'add'>, number: PhoneNumber): Promise<void> {
  const { id, orgId, status, failure } = number;
  const after = { status, ...(failure === null ? {} : { failure }) };
  const nobody = { keyId: null, requestId: null };
  await audit.add({
    ...nobody,
    orgId,
    action: 'update',
    resource: 'phone_number',
    resourceId: id,
    before: { status: 'pending' },
    after,
  });
}
