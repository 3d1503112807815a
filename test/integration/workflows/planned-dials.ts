import type { DialPlan } from '../../fakes/fake-media-control';
import type { FakeNode, WorkflowEnvironment } from './environment';

/** Outbound calls of which each dial on the node goes as planned. What is not planned rings. */
export class PlannedDials {
  readonly #env: WorkflowEnvironment;
  readonly #plans = new Map<string, readonly DialPlan[]>();

  constructor(env: WorkflowEnvironment, { control }: FakeNode) {
    this.#env = env;
    control.plan = ({ callId }) => {
      const n = control.dials.filter((dial) => dial.callId === callId).length;
      return this.#plans.get(callId)?.[n - 1] ?? { kind: 'ring' };
    };
  }

  /** Of a call that somebody else places. */
  plan(callId: string, dials: readonly DialPlan[]): void {
    this.#plans.set(callId, dials);
  }

  /** Answers the id of the call. */
  async place(
    dials: readonly DialPlan[],
    changes: Parameters<WorkflowEnvironment['outboundInput']>[0] = {},
  ): Promise<string> {
    const input = this.#env.outboundInput(changes);
    this.plan(input.callId, dials);
    await this.#env.placeCall(input);
    return input.callId;
  }
}
