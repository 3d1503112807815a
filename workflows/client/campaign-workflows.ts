import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client, SignalDefinition } from '@temporalio/client';
import type { CampaignReference } from '../../contract/campaigns';
import { campaignChangedSignal, campaignChangedUpdate, contactsMovedSignal } from '../campaign/messages';
import type { CampaignInput, CampaignStanding } from '../campaign/messages';
import { campaignStartOptions } from '../campaign/start-options';
import { campaignWorkflowId } from '../ids';
import type { SignalOutcome } from './call-workflows';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const CAMPAIGN_WORKFLOW = 'campaignWorkflow';
const CAMPAIGN_PREFIX = campaignWorkflowId('');
/** For all pages of a list, however many they are. */
const LIST_LIMIT_MS = 60_000;

export interface CampaignWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request that is not given a deadline of its own. */
  readonly limitMs: number;
}

/** The workflows of campaigns, seen from outside; rejects while Temporal is away. */
export class CampaignWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor({ client, limitMs }: CampaignWorkflowsOptions) {
    this.#client = client;
    this.#limitMs = limitMs;
  }

  /**
   * The campaign's row has changed: resolves when what it asks for was done. Begins the workflow where none runs. `closing`:
   * the run that there was has just ended, or ends; the next try begins another.
   */
  async change(
    campaign: CampaignReference,
    updateId: string,
    deadlineMs: number,
  ): Promise<CampaignStanding | 'closing'> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: CampaignInput) => Promise<unknown>>(
      CAMPAIGN_WORKFLOW,
      campaignStartOptions(campaign),
    );
    // Also rejected when the update fails; its error arrives there.
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    const expected = { closing: 'closing', not_found: 'closing', update_failed: 'closing' } as const;
    return await timedRequest<CampaignStanding | 'closing'>({ client: this.#client, deadlineMs, expected }, () =>
      this.#client.workflow.executeUpdateWithStart(campaignChangedUpdate, { updateId, startWorkflowOperation }),
    );
  }

  /** As `change`, without waiting for anything to be done. */
  async tell(campaign: CampaignReference): Promise<void> {
    await timedRequest({ client: this.#client, deadlineMs: this.#deadlineMs() }, () =>
      this.#client.workflow.signalWithStart(CAMPAIGN_WORKFLOW, {
        ...campaignStartOptions(campaign),
        signal: campaignChangedSignal,
        signalArgs: [],
      }),
    );
  }

  /** Of a workflow whose row is not known to be alive: it finds out. */
  async signalChanged(campaignId: string): Promise<SignalOutcome> {
    return await this.#signal(campaignId, campaignChangedSignal);
  }

  /** There may be somebody to call. */
  async signalMoved(campaignId: string): Promise<SignalOutcome> {
    return await this.#signal(campaignId, contactsMovedSignal);
  }

  /** Ids of campaigns, as visibility knows them; it lags behind by a moment. */
  async running(): Promise<ReadonlySet<string>> {
    const query = `WorkflowType = '${CAMPAIGN_WORKFLOW}' AND ExecutionStatus = 'Running'`;
    return await timedRequest({ client: this.#client, deadlineMs: Date.now() + LIST_LIMIT_MS }, async () => {
      const ids = new Set<string>();
      for await (const { workflowId } of this.#client.workflow.list({ query })) {
        if (workflowId.startsWith(CAMPAIGN_PREFIX)) ids.add(workflowId.slice(CAMPAIGN_PREFIX.length));
      }
      return ids;
    });
  }

  async #signal(campaignId: string, signal: SignalDefinition<[]>): Promise<SignalOutcome> {
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: 'gone' } } as const;
    return await timedRequest<SignalOutcome>(options, async () => {
      await this.#client.workflow.getHandle(campaignWorkflowId(campaignId)).signal(signal);
      return 'delivered';
    });
  }

  #deadlineMs(): number {
    return Date.now() + this.#limitMs;
  }
}
