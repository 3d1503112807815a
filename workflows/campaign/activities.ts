/** What a campaign's workflow asks of the workers of the main task queue. Ids, counts and times: no number, no text. */
import type { CampaignStatus } from '../../contract/campaigns';

export interface CampaignTurn {
  readonly campaignId: string;
  readonly orgId: string;
  /** Repeated, it is the same turn: nobody is claimed twice. */
  readonly turn: string;
}

export interface TurnReport {
  /** As its row says. `deleted`: there is none. */
  readonly status: CampaignStatus | 'deleted';
  /** Calls that this turn has started. */
  readonly started: number;
  /** Contacts with a call under way, those among them. */
  readonly calling: number;
  /** Contacts that may still be called, those under way among them. */
  readonly open: number;
  /** When there is something to do though nothing has been told, ms; null: nothing before something is told. */
  readonly wakeInMs: number | null;
}

export interface CampaignDialActivities {
  /** Claims who is due, as many as may be under way and as the trunks take in a moment, and starts their calls. */
  readonly dialDue: (turn: CampaignTurn) => Promise<TurnReport>;
}
