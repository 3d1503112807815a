import type { Logger } from '../../ops/logger';
import type { CampaignWorkflows } from '../../workflows/client/campaign-workflows';

/** At most two words a second to one campaign, however many calls of it end. */
const BETWEEN_MS = 500;
const RETRY_MS = 1_000;

export interface CampaignNotifierDeps {
  readonly workflows: Pick<CampaignWorkflows, 'signalMoved'>;
  readonly logger: Logger;
}

/**
 * Tells the workflows of campaigns that contacts have moved: the first word at once, those that follow within half a second
 * as one at its end. What Temporal does not take is told again until it does.
 */
export class CampaignNotifier {
  readonly #deps: CampaignNotifierDeps;
  /** By campaign; `again`: something moved since the word was sent. */
  readonly #told = new Map<string, { timer: NodeJS.Timeout | undefined; again: boolean }>();
  #closed = false;

  constructor(deps: CampaignNotifierDeps) {
    this.#deps = deps;
  }

  moved(campaignId: string): void {
    if (this.#closed) return;
    const known = this.#told.get(campaignId);
    if (known !== undefined) known.again = true;
    else void this.#tell(campaignId);
  }

  /** Words that were not sent yet are not sent any more: their campaigns find out by themselves. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#told.values()) clearTimeout(timer);
    this.#told.clear();
  }

  async #tell(campaignId: string): Promise<void> {
    const state = { timer: undefined as NodeJS.Timeout | undefined, again: false };
    this.#told.set(campaignId, state);
    let pauseMs = BETWEEN_MS;
    try {
      await this.#deps.workflows.signalMoved(campaignId);
    } catch (error) {
      this.#deps.logger.debug({ err: error, campaignId }, 'a campaign workflow is told again');
      state.again = true;
      pauseMs = RETRY_MS;
    }
    if (this.#closed) return;
    state.timer = setTimeout(() => {
      this.#told.delete(campaignId);
      if (state.again) void this.#tell(campaignId);
    }, pauseMs);
    state.timer.unref();
  }
}
