import type { DataSource } from 'typeorm';
import type {
  AcceptOutcome,
  CallRequests,
  ControlAnswer,
  RescheduleAnswer,
  TransferAnswer,
} from '../../api/calls/call-requests';
import type { HangupCause } from '../../contract/endings';
import type { SealedCallDetails } from '../../store/call-details';
import { CallRepository } from '../../store/repositories/call-repository';
import { rowAad } from '../../store/secrets';
import type { SecretBox } from '../../store/secrets';
import type { OutboundCallInput } from '../../workflows/call/input';
import type { ControlRequest, RescheduleRequest, TransferRequest } from '../../workflows/call/messages';
import type { CallWorkflowDescription } from '../../workflows/client/call-workflows';

/** Stores a call's row as its workflow would; outcomes can be set ahead, one per request. */
export class FakeCallRequests implements Pick<
  CallRequests,
  'accept' | 'describe' | 'control' | 'reschedule' | 'transfer'
> {
  readonly accepted: OutboundCallInput[] = [];
  readonly hangups: { readonly callId: string; readonly updateId: string; readonly request: HangupCause }[] = [];
  readonly descriptions = new Map<string, CallWorkflowDescription>();
  /** Answered instead of `accepted`, in order. */
  acceptOutcomes: AcceptOutcome[] = [];
  hangupOutcome: 'done' | 'gone' | 'unavailable' | 'unknown' = 'done';
  /** What becomes of the call while it is told something. */
  meanwhile: (callId: string) => Promise<unknown> = () => Promise.resolve();
  readonly controls: { readonly callId: string; readonly request: ControlRequest }[] = [];
  controlAnswer: ControlAnswer = { outcome: 'done' };
  readonly transfers: { readonly callId: string; readonly request: TransferRequest }[] = [];
  transferAnswer: TransferAnswer = { outcome: 'accepted' };
  readonly reschedules: { readonly callId: string; readonly request: RescheduleRequest }[] = [];
  rescheduleAnswer: RescheduleAnswer = { outcome: 'done', scheduledAtMs: null, expiresAtMs: 0 };
  readonly #calls: CallRepository;
  readonly #secrets: SecretBox;

  constructor(dataSource: DataSource, secrets: SecretBox) {
    this.#calls = new CallRepository(dataSource);
    this.#secrets = secrets;
  }

  async accept(
    input: OutboundCallInput,
    bodyHash: string | null,
    isStored: () => Promise<boolean>,
  ): Promise<AcceptOutcome> {
    this.accepted.push(input);
    const outcome = this.acceptOutcomes.shift() ?? 'accepted';
    if (outcome !== 'accepted') return outcome;
    const known = this.descriptions.has(input.callId);
    if (!known) {
      this.descriptions.set(input.callId, { running: true, memo: bodyHash === null ? {} : { bodyHash } });
    }
    await this.#calls.insertCall({
      id: input.callId,
      orgId: input.orgId,
      agentId: input.agentId,
      trunkId: input.trunkId,
      sessionId: input.sessionId,
      direction: 'outbound',
      ...this.detailsOf(input),
      status: input.scheduledAtMs === undefined ? 'queued' : 'scheduled',
      createdAtMs: input.createdAtMs,
      scheduledAtMs: input.scheduledAtMs ?? null,
      expiresAtMs: input.expiresAtMs ?? null,
    });
    return (await isStored()) ? 'accepted' : 'unknown';
  }

  describe(callId: string): Promise<CallWorkflowDescription | null> {
    return Promise.resolve(this.descriptions.get(callId) ?? null);
  }

  async control(callId: string, request: ControlRequest): Promise<ControlAnswer> {
    if (request.control.type === 'hangup') {
      const { endReason, endedBy } = request.control;
      this.hangups.push({ callId, updateId: request.commandId, request: { endReason, endedBy } });
      return { outcome: this.hangupOutcome };
    }
    this.controls.push({ callId, request });
    await this.meanwhile(callId);
    return this.controlAnswer;
  }

  async reschedule(callId: string, _updateId: string, request: RescheduleRequest): Promise<RescheduleAnswer> {
    this.reschedules.push({ callId, request });
    const { expiresAtMs, scheduledAtMs } = request;
    if (this.rescheduleAnswer.outcome === 'done' && expiresAtMs !== undefined) {
      await this.#calls.reschedule(callId, scheduledAtMs ?? null, expiresAtMs);
    }
    return this.rescheduleAnswer;
  }

  async transfer(callId: string, request: TransferRequest): Promise<TransferAnswer> {
    this.transfers.push({ callId, request });
    await this.meanwhile(callId);
    return this.transferAnswer;
  }

  detailsOf(input: OutboundCallInput): SealedCallDetails {
    return JSON.parse(this.#secrets.open(input.sealed, rowAad(input.orgId, input.callId))) as SealedCallDetails;
  }
}
