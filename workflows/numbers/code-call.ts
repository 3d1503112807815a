import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  executeChild,
  ParentClosePolicy,
} from '@temporalio/workflow';
import { DISPOSITIONS } from '../../contract/endings';
import type { Disposition } from '../../contract/endings';
import { failureOfCodeCall } from '../../contract/number-verification';
import type { VerificationFailure } from '../../contract/number-verification';
import type { OutboundCallInput } from '../call/input';
import { callStartOptions } from '../call/start-options';
import type { callWorkflow } from '../call/workflow';

/** A hang-up takes about a second; on a lost node a few more. */
const HANGUP_MS = 20_000;

/** The call that speaks a code: a call like any other, which goes on when the number is verified before its last word. */
export class CodeCall {
  readonly #scope = new CancellationScope({ cancellable: true });
  #ended = false;
  #failure: VerificationFailure | null = null;

  constructor(input: OutboundCallInput) {
    void this.#scope.run(() => this.#place(input));
  }

  /** Why nobody can have heard the code; null while it may be heard, or may have been. */
  get failure(): VerificationFailure | null {
    return this.#failure;
  }

  /** Resolves when it has hung up, or should have. */
  async giveUp(): Promise<void> {
    if (this.#ended) return;
    // To the workflow of a call that is a hang-up.
    this.#scope.cancel();
    await condition(() => this.#ended, HANGUP_MS, { summary: 'for the code call to hang up' });
  }

  async #place(input: OutboundCallInput): Promise<void> {
    const { workflowIdConflictPolicy: _, ...options } = callStartOptions(input);
    try {
      const { disposition } = await executeChild<typeof callWorkflow>('callWorkflow', {
        ...options,
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
      this.#failure = failureOfCodeCall(disposition);
    } catch (error) {
      // Terminated, or begun by an earlier run of this workflow: it may have been heard.
      const disposition = dispositionOf(error);
      this.#failure = disposition === null ? null : failureOfCodeCall(disposition);
    }
    this.#ended = true;
  }
}

/** A call that failed says how by the type of its failure. */
function dispositionOf(error: unknown): Disposition | null {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return null;
  return DISPOSITIONS.find((disposition) => disposition === cause.type) ?? null;
}
