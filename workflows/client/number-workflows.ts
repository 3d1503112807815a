/** The workflows that verify numbers, seen from outside. */
import type { Client, SignalDefinition } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { NumberRound, VerificationRound } from '../../contract/number-verification';
import { MAIN_TASK_QUEUE, numberVerificationWorkflowId } from '../ids';
import { beginRoundSignal, numberCalledSignal, roundOverSignal } from '../numbers/messages';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const NUMBER_WORKFLOW = 'numberVerificationWorkflow';
const NUMBER_PREFIX = numberVerificationWorkflowId('');
const ORG_ID = defineSearchAttributeKey('OrgId', 'KEYWORD');
const TRUNK_ID = defineSearchAttributeKey('TrunkId', 'KEYWORD');
/** For all pages of a list, however many they are. */
const LIST_LIMIT_MS = 60_000;

export interface NumberWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request. */
  readonly limitMs: number;
}

/** Everything may be repeated; rejects while Temporal is away. */
export class NumberWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor(options: NumberWorkflowsOptions) {
    this.#client = options.client;
    this.#limitMs = options.limitMs;
  }

  /** Starts the number's workflow where it does not run. */
  async begin(round: VerificationRound): Promise<void> {
    await this.#signalWithStart(round, beginRoundSignal, round);
  }

  /** A call to the number has come in. */
  async called(round: VerificationRound): Promise<void> {
    await this.#signalWithStart(round, numberCalledSignal, { n: round.n });
  }

  /** A workflow that is not there any more needs not be told. */
  async over({ numberId, n }: NumberRound, gone: boolean): Promise<void> {
    const handle = this.#client.workflow.getHandle(numberVerificationWorkflowId(numberId));
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: null } };
    await timedRequest<void | null>(options, () => handle.signal(roundOverSignal, { n, gone }));
  }

  /** Ids of numbers, as visibility knows them; it lags behind by a moment. */
  async running(): Promise<ReadonlySet<string>> {
    const query = `WorkflowType = '${NUMBER_WORKFLOW}' AND ExecutionStatus = 'Running'`;
    return await timedRequest({ client: this.#client, deadlineMs: Date.now() + LIST_LIMIT_MS }, async () => {
      const ids = new Set<string>();
      for await (const { workflowId } of this.#client.workflow.list({ query })) {
        if (workflowId.startsWith(NUMBER_PREFIX)) ids.add(workflowId.slice(NUMBER_PREFIX.length));
      }
      return ids;
    });
  }

  async #signalWithStart<Word>(round: VerificationRound, signal: SignalDefinition<[Word]>, word: Word): Promise<void> {
    const { numberId, orgId, method, trunkId } = round;
    const attributes = [{ key: ORG_ID, value: orgId }];
    if (trunkId !== null) attributes.push({ key: TRUNK_ID, value: trunkId });
    await timedRequest({ client: this.#client, deadlineMs: this.#deadlineMs() }, () =>
      this.#client.workflow.signalWithStart<() => Promise<unknown>, [Word]>(NUMBER_WORKFLOW, {
        workflowId: numberVerificationWorkflowId(numberId),
        taskQueue: MAIN_TASK_QUEUE,
        args: [round] as unknown as [],
        signal,
        signalArgs: [word],
        typedSearchAttributes: new TypedSearchAttributes(attributes),
        staticSummary:
          method === 'outbound_code'
            ? `Number ${numberId} is verified by a code call over trunk ${trunkId}`
            : `Number ${numberId} is verified by a call that comes in`,
      }),
    );
  }

  #deadlineMs(): number {
    return Date.now() + this.#limitMs;
  }
}
