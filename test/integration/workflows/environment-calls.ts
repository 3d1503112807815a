/** Calls of workflows under test: placed as the API does it, received as a media node does it, and what became of them. */
import { WithStartWorkflowOperation, WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DataSource } from 'typeorm';
import { newCall } from '../../../activities/new-call';
import { CallRequests } from '../../../api/calls/call-requests';
import type { AcceptOutcome } from '../../../api/calls/call-requests';
import { hasFailed } from '../../../contract/endings';
import { withDeadline } from '../../../ops/deadline';
import { createLogger } from '../../../ops/logger';
import { openDetails, sealDetails } from '../../../store/call-details';
import type { Call } from '../../../store/entities/call';
import type { CallAttempt } from '../../../store/entities/call-attempt';
import { uuidV7 } from '../../../store/ids';
import type { CallRepository } from '../../../store/repositories/call-repository';
import type { EventRepository } from '../../../store/repositories/event-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import type { InboundCallInput, OutboundCallInput } from '../../../workflows/call/input';
import { acceptUpdate } from '../../../workflows/call/messages';
import type { AcceptResult } from '../../../workflows/call/messages';
import { callStartOptions } from '../../../workflows/call/start-options';
import type { callWorkflow } from '../../../workflows/call/workflow';
import { callWorkflowId } from '../../../workflows/ids';
import type { FakeMediaControl } from '../../fakes/fake-media-control';
import { plainHistory } from '../../support/plain-history';
import { storedAttempts } from '../../support/stored-rows';
import { waitFor } from '../../support/wait-for';

export const FROM = '+15550001111';
export const TO = '+15559998888';
const SILENT = createLogger({ name: 'test', level: 'silent' });
export const FIRST_MESSAGE = 'A most secret greeting';

export abstract class EnvironmentCalls {
  readonly orgId = uuidV7();
  readonly agentId = uuidV7();
  readonly trunkId = uuidV7();
  readonly secretsKey = newMasterKey();
  readonly secrets = new SecretBox(this.secretsKey);
  abstract readonly dataSource: DataSource;
  abstract readonly client: Client;
  abstract readonly calls: CallRepository;
  abstract readonly events: EventRepository;

  /** In the order they were begun. */
  attempts(callId: string): Promise<CallAttempt[]> {
    return storedAttempts(this.dataSource, callId);
  }

  outboundInput(changes: Partial<OutboundCallInput> = {}): OutboundCallInput {
    const callId = changes.callId ?? uuidV7();
    const nowMs = Date.now();
    return {
      direction: 'outbound',
      callId,
      orgId: this.orgId,
      agentId: this.agentId,
      trunkId: this.trunkId,
      sessionId: uuidV7(),
      sealed: this.#seal(callId),
      createdAtMs: nowMs,
      maxDurationSeconds: 600,
      acceptByMs: nowMs + 5_000,
      dialByMs: nowMs + 30_000,
      ringTimeoutSeconds: 45,
      ...changes,
    };
  }

  inboundInput(
    node: { readonly nodeId: string; readonly bootId: string },
    changes: Partial<InboundCallInput> = {},
  ): InboundCallInput {
    const callId = changes.callId ?? uuidV7();
    return {
      direction: 'inbound',
      callId,
      orgId: this.orgId,
      agentId: this.agentId,
      trunkId: this.trunkId,
      sessionId: uuidV7(),
      sealed: this.#seal(callId),
      createdAtMs: Date.now(),
      maxDurationSeconds: 600,
      nodeId: node.nodeId,
      bootId: node.bootId,
      sipCallId: `sip-${callId}`,
      routingRule: 'trunk_number',
      rowByNode: true,
      ...changes,
    };
  }

  /** As the API does it: awaiting the stored row. */
  async placeCall(input: OutboundCallInput): Promise<AcceptOutcome> {
    const requests = new CallRequests({ client: this.client, logger: SILENT });
    return await requests.accept(input, null, async () => (await this.row(input.callId)) !== null);
  }

  /** As the API of an earlier release did it. */
  async acceptCall(input: OutboundCallInput): Promise<AcceptResult> {
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof callWorkflow>(
      'callWorkflow',
      callStartOptions(input),
    );
    const updateId = `accept-${input.callId}`;
    return await this.client.workflow.executeUpdateWithStart(acceptUpdate, { startWorkflowOperation, updateId });
  }

  /** Its workflow, and the row that its node stores. */
  async startInbound(
    node: { readonly nodeId: string; readonly bootId: string },
    changes: Partial<InboundCallInput> = {},
  ): Promise<InboundCallInput> {
    const input = this.inboundInput(node, changes);
    await this.client.workflow.start('callWorkflow', callStartOptions(input));
    await this.calls.insertCall(newCall(input, openDetails(this.secrets, input)));
    return input;
  }

  /** As a media node does it. */
  async receiveCall(
    node: { readonly nodeId: string; readonly bootId: string; readonly control: FakeMediaControl },
    changes: Partial<InboundCallInput> = {},
  ): Promise<InboundCallInput> {
    const input = await this.startInbound(node, changes);
    node.control.inbound(input.callId, this.orgId, input.sipCallId);
    return input;
  }

  handle(callId: string): ReturnType<Client['workflow']['getHandle']> {
    return this.client.workflow.getHandle(callWorkflowId(callId));
  }

  /** The row of the call; null before it exists. */
  async row(callId: string): Promise<Call | null> {
    return await this.calls.find(this.orgId, callId);
  }

  async rowIs(callId: string, status: Call['status'], limitMs = 10_000): Promise<Call> {
    return await waitFor(`row ${status}`, limitMs, async () => {
      const row = await this.row(callId);
      return row?.status === status ? row : undefined;
    });
  }

  /** The closed call's row; also checks that its workflow has completed and left one terminal event. */
  async finished(callId: string, limitMs = 20_000): Promise<Call> {
    const failed = await withDeadline(this.#closesAsFailed(callId), limitMs, { message: `${callId} did not end` });
    const row = await this.rowIs(callId, 'completed', 1_000);
    const { items } = await this.events.list(this.orgId, callId, { limit: 100 });
    const terminal = items.filter(({ type }) => type === 'call.ended' || type === 'call.failed');
    expect(terminal).toHaveLength(1);
    const { disposition, endReason } = row;
    expect(failed).toBe(hasFailed({ disposition: disposition ?? 'failed', endReason }));
    expect(terminal[0]?.type).toBe(row.answeredAt === null ? 'call.failed' : 'call.ended');
    return row;
  }

  async #closesAsFailed(callId: string): Promise<boolean> {
    try {
      await this.handle(callId).result();
      return false;
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return true;
      throw error;
    }
  }

  async historyLength(callId: string): Promise<number> {
    const history = await this.handle(callId).fetchHistory();
    return history.events?.length ?? 0;
  }

  /** The whole history with its payloads readable. */
  async plainHistory(callId: string): Promise<string> {
    return (await plainHistory(this.handle(callId))).text;
  }

  #seal(callId: string): string {
    return sealDetails(
      this.secrets,
      { callId, orgId: this.orgId },
      { from: FROM, to: TO, firstMessage: FIRST_MESSAGE, metadata: { note: 'private' } },
    );
  }
}
