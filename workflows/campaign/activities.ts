/** What a campaign's workflow asks of the workers of the main task queue. Ids, counts and times: no number, no text. */
import type { CampaignOccasion, CampaignReference, CampaignStatus } from '../../contract/campaigns';

export interface CampaignTurn extends CampaignReference {
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
  /** Its row asks for something beside dialling that nobody else tells of. */
  readonly changed?: boolean;
}

/** On the queue of campaigns. */
export interface CampaignDialActivities {
  /** Claims who is due, as many as may be under way and as the trunks take in a moment, and starts their calls. */
  readonly dialDue: (turn: CampaignTurn) => Promise<TurnReport>;
}

/** On the queue of campaigns. */
export interface CampaignGuardActivities {
  /** Slows it, pauses it or lets it go on at its full pace, by how its calls go. True: it is not what it was. */
  readonly checkGuards: (campaign: CampaignReference) => Promise<boolean>;
}

/** What its row asks for, and how far that was done. */
export interface CampaignSettlement {
  readonly status: CampaignStatus | 'deleted';
  /** Epoch ms; null: it has no end. */
  readonly endsAtMs: number | null;
  /** Contacts that may still be called, those under way among them. */
  readonly open: number;
  /** There is more to do: to be called again at once. */
  readonly again: boolean;
  /** The schedules that it has now; to be given with the next. */
  readonly schedules: string;
  /** It is to be watched by its guards. */
  readonly guarded: boolean;
}

export interface SettleRequest extends CampaignReference {
  /** As the last one has said; null: not known. */
  readonly schedules: string | null;
}

export interface CampaignOccurrence extends CampaignReference {
  readonly occasion: CampaignOccasion;
  /** Of the run that tells of it: told again, it is the same. */
  readonly runId: string;
}

export interface CampaignControlActivities {
  /**
   * Does what the row asks for beside dialling: its schedules; of one that is paused the calls that wait are told; of one
   * that is canceled those that ring are hung up, and nobody else is called; whom a renewal makes due; that it is over.
   */
  readonly settleCampaign: (request: SettleRequest) => Promise<CampaignSettlement>;
  /** The time of one of its schedules has come. */
  readonly campaignOccurs: (occurrence: CampaignOccurrence) => Promise<void>;
}
