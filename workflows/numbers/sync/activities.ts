/** What the workflow that syncs an organisation's numbers asks of others. */
import type { NumberSyncOutcome, NumberSyncRequest } from './messages';

export interface NumberSyncActivities {
  /** The set, the audit row and the version in one transaction. Repeating it with the same id changes nothing more. */
  syncNumbers(request: NumberSyncRequest & { readonly orgId: string }): Promise<NumberSyncOutcome>;
}
