/** What starts the workflow of a campaign, and what it is told and asked. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CampaignReference, CampaignStatus } from '../../contract/campaigns';
import type { CampaignSettlement } from './activities';

export interface CampaignInput extends CampaignReference {
  /** Only when it continues an earlier run. */
  readonly resumed?: CampaignResumption;
  /** A new run follows after so many events. Default 8,000. Sooner where the server suggests it. */
  readonly eventsPerRun?: number;
}

export interface CampaignResumption {
  readonly settlement: CampaignSettlement;
  /** Calls begun since the campaign's workflow began. */
  readonly started: number;
  /** Epoch ms; null: only when something is told. */
  readonly nextTurnAtMs: number | null;
}

/** As the workflow knows it. */
export interface CampaignStanding {
  /** Null: it has not looked yet. */
  readonly status: CampaignStatus | 'deleted' | null;
  readonly started: number;
  /** Contacts with a call under way at the last turn. */
  readonly calling: number;
  /** Contacts that may still be called, those among them. */
  readonly open: number;
  readonly nextTurnAtMs: number | null;
}

/**
 * The campaign's row has changed. What it is now stands in the store; that a signal is lost, late or told twice changes
 * nothing.
 */
export const campaignChangedSignal = defineSignal<[]>('changed');
/** Calls of its contacts have ended, or contacts were added: there may be somebody to call. */
export const contactsMovedSignal = defineSignal<[]>('contactsMoved');
/** As the signal; answered when what the row asks for was done. */
export const campaignChangedUpdate = defineUpdate<CampaignStanding, []>('change');
export const campaignStateQuery = defineQuery<CampaignStanding>('campaignState');
