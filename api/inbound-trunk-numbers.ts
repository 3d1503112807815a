/** Which numbers an inbound trunk may list. */
import type { ConfigTransaction } from '../store/config-transaction';
import type { AuditNote } from './changes';
import { impossible } from './errors';
import type { OrgStore } from './store';
import { numberView } from './views';

interface TrunkNumbers {
  readonly phoneNumbers: readonly string[];
  readonly notes: readonly AuditNote[];
}

/** Listed numbers must be verified; the only organisation of a server vouches for them by listing them. */
export async function trunkNumbers(
  org: Pick<OrgStore, 'organisations' | 'phoneNumbers'>,
  tx: ConfigTransaction,
  orgId: string,
  listed: readonly string[] | undefined,
): Promise<TrunkNumbers> {
  const { phoneNumbers: numbers, organisations } = org;
  if (listed === undefined) {
    const all = await numbers.verified(tx, orgId);
    return { phoneNumbers: all.map(({ phoneNumber }) => phoneNumber), notes: [] };
  }
  const known = new Set((await numbers.verified(tx, orgId, listed)).map(({ phoneNumber }) => phoneNumber));
  const missing = listed.filter((number) => !known.has(number));
  if (missing.length === 0) return { phoneNumbers: listed, notes: [] };
  if ((await organisations.count()) !== 1) {
    throw impossible('number_not_verified', `Not verified: ${missing.join(', ')}`, { phone_numbers: missing });
  }
  const attested = await numbers.attest(tx, orgId, missing);
  const notes = attested.map((row) => ({
    action: 'create',
    resource: 'phone_number',
    resourceId: row.id,
    after: numberView(row),
  }));
  return { phoneNumbers: listed, notes };
}
