import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from '../../ops/logger';
import { uuidV7 } from '../../store/ids';
import type { CampaignReference } from '../../contract/campaigns';
import { CampaignWorkflows } from '../../workflows/client/campaign-workflows';

/** For a change to be followed by the campaign's workflow. */
const LIMIT_MS = 2_000;
/** A run that is about to close takes no update for a moment: then it is closed, and the next try begins another. */
const CLOSING_RETRY_MS = 50;

export interface CampaignRequestsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  readonly logger: Logger;
}

/** What the API asks of the workflows of campaigns. The row is changed before; so nothing here fails. */
export class CampaignRequests {
  readonly #workflows: CampaignWorkflows;
  readonly #logger: Logger;

  constructor({ client, logger }: CampaignRequestsOptions) {
    this.#workflows = new CampaignWorkflows({ client, limitMs: LIMIT_MS });
    this.#logger = logger;
  }

  /** Waits until what the row asks for was done. False: not yet; the reconciler tells the workflow again. */
  async settled(campaign: CampaignReference): Promise<boolean> {
    const deadlineMs = Date.now() + LIMIT_MS;
    const updateId = uuidV7();
    try {
      while (Date.now() < deadlineMs) {
        const standing = await this.#workflows.change(campaign, updateId, deadlineMs);
        if (standing !== 'closing') return true;
        await sleep(CLOSING_RETRY_MS);
      }
    } catch (error) {
      this.#logger.warn({ err: error, campaignId: campaign.campaignId }, 'a campaign workflow is told later');
    }
    return false;
  }

  /** Contacts were added, or are due again. Whoever did so does not wait for it: a word that is lost costs some minutes. */
  moved(campaignId: string): void {
    this.#workflows
      .signalMoved(campaignId)
      .catch((error: unknown) =>
        this.#logger.warn({ err: error, campaignId }, 'a campaign looks whom it may call later'),
      );
  }
}
