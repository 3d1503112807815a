import { randomUUID } from 'node:crypto';
import type { TransferWish } from '../../contract/transfers';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CallCommand,
  CallControl,
  CallNodeStatus,
  HangupControl,
  CommandEffect,
  CommandResult,
  DialCommand,
  DialOptions,
  DialRefusal,
  DialResult,
  LiveCall,
  MediaControl,
} from '../../contract/commands';
import type { CallEnding, CallMetrics, HangupCause } from '../../contract/endings';
import type { CallEvent, CallEvents, StateEvent } from '../../contract/events';
import type {
  InboundTrunkCheck,
  InboundTrunkFindings,
  OutboundTrunkCheck,
  OutboundTrunkReport,
} from '../../contract/trunk-check';

export const METRICS: CallMetrics = {
  postDialDelayMs: 120,
  mos: 4.3,
  packetLossPct: 0,
  jitterMs: 1.5,
  turnLatencyMs: { p50: 700, p95: 900 },
};

/** Where a dial stops, or how it goes. `hang_*`: it never returns; `reach_for`: that long without an INVITE. */
export type DialPlan =
  | { readonly kind: 'ring' }
  | { readonly kind: 'answer' }
  | { readonly kind: 'refuse'; readonly code: DialRefusal }
  | { readonly kind: 'held_elsewhere'; readonly holder: string }
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'reach_for'; readonly ms: number }
  | { readonly kind: 'end'; readonly ending: CallEnding }
  | { readonly kind: 'hang_before_intended' | 'hang_after_intended' | 'hang_after_invite' }
  | { readonly kind: 'fail_after_invite' };

interface FakeCall {
  readonly callId: string;
  readonly orgId: string;
  readonly direction: 'inbound' | 'outbound';
  readonly sipCallId: string;
  readonly sinceMs: number;
  state: 'setup' | 'ringing' | 'answered' | 'ended';
  seq: number;
}

/** A media node's call layer without media: calls are objects, INVITEs are entries of `invites`. */
export class FakeMediaControl implements MediaControl {
  readonly nodeId: string;
  readonly bootId: string;
  readonly calls = new Map<string, FakeCall>();
  readonly dials: DialCommand[] = [];
  /** By call: what is asked before an INVITE to another gateway. */
  readonly failovers = new Map<string, DialOptions['beforeFailover']>();
  /** SIP Call-IDs of the INVITEs that left, as the carrier would see them. */
  readonly invites: string[] = [];
  readonly hangups: (Pick<CallCommand, 'callId' | 'commandId'> & HangupCause)[] = [];
  readonly controls: CallCommand[] = [];
  /** What a command comes to; default: it takes effect at once. */
  controlAnswer: 'done' | 'silent' | CommandResult = 'done';
  /** What it comes to, where it is taken; null: nothing for now, `effect` tells later. Default: done. */
  controlEffect: (control: CallControl) => CommandEffect | null = () => ({ outcome: 'done' });
  readonly tombstones: string[] = [];
  readonly lost: string[] = [];
  readonly revokedTrunks: string[] = [];
  plan: (command: DialCommand) => DialPlan = () => ({ kind: 'ring' });
  /** Called for every INVITE, before anything else happens. */
  onInvite: (sipCallId: string) => void = () => undefined;
  /** The attempt of this id holds no slot any more. */
  onOver: (attemptId: string) => void = () => undefined;
  /** What a hang-up does; default: the call ends with the command's reason. */
  hangupAnswer: 'end' | 'silent' | CommandResult = 'end';
  readonly #events: CallEvents;
  readonly #stuck: ((error: Error) => void)[] = [];

  constructor(nodeId: string, bootId: string, events: CallEvents) {
    this.nodeId = nodeId;
    this.bootId = bootId;
    this.#events = events;
  }

  async dial(command: DialCommand, options: DialOptions): Promise<DialResult> {
    this.dials.push(command);
    this.failovers.set(command.callId, options.beforeFailover);
    const plan = this.plan(command);
    if (plan.kind === 'refuse') return { sent: false, code: plan.code, detail: '' };
    if (plan.kind === 'held_elsewhere') return { sent: false, code: 'held_elsewhere', holder: plan.holder };
    if (plan.kind === 'hang_before_intended') return await this.#never();
    if (!(await options.beforeSend())) return { sent: false, code: 'no_capacity', detail: '' };
    if (plan.kind === 'hang_after_intended') return await this.#never();
    const late = Date.now() > options.deadlineMs;
    if (late || this.tombstones.includes(command.callId)) {
      this.onOver(command.sipCallId);
      return { sent: false, code: late ? 'too_late' : 'tombstoned', detail: '' };
    }
    if (plan.kind === 'unreachable' || plan.kind === 'reach_for') return await this.#unsent(command, plan);
    this.invites.push(command.sipCallId);
    this.onInvite(command.sipCallId);
    const call = this.#add(command.callId, command.orgId, 'outbound', command.sipCallId);
    this.report(call.callId, { type: 'dial_sent', attemptId: command.attemptId, sipCallId: command.sipCallId });
    if (plan.kind === 'hang_after_invite') return await this.#never();
    if (plan.kind === 'fail_after_invite') throw new Error('socket closed');
    if (plan.kind === 'answer') this.answer(call.callId);
    else if (plan.kind === 'end') this.end(call.callId, plan.ending);
    else this.ring(call.callId);
    return { sent: true, nodeId: this.nodeId, bootId: this.bootId, sipCallId: command.sipCallId };
  }

  /** The call exists before an INVITE does, and ends without one. */
  async #unsent(
    { callId, orgId, sipCallId }: DialCommand,
    plan: Extract<DialPlan, { kind: 'unreachable' | 'reach_for' }>,
  ): Promise<DialResult> {
    const call = this.#add(callId, orgId, 'outbound', sipCallId);
    const ended = (): DialResult => ({
      sent: false,
      code: 'ended',
      nodeId: this.nodeId,
      bootId: this.bootId,
      sipCallId,
    });
    if (plan.kind === 'reach_for') {
      for (let ms = 0; ms < plan.ms && call.state !== 'ended'; ms += 20) await sleep(20);
      if (call.state === 'ended') return ended();
    }
    const reason = plan.kind === 'unreachable' ? plan.reason : 'no connection in time';
    this.report(callId, { type: 'target_unreachable', target: 'carrier', reason });
    this.end(callId, {
      disposition: 'trunk_unreachable',
      endReason: null,
      endedBy: 'system',
      sip: { sipCallId, finalStatus: null, reason, q850: null },
    });
    return ended();
  }

  /** An INVITE came in and its workflow was started. */
  inbound(callId: string, orgId: string, sipCallId: string): void {
    this.#add(callId, orgId, 'inbound', sipCallId);
  }

  ring(callId: string): void {
    this.#call(callId).state = 'ringing';
    this.report(callId, { type: 'ringing', status: 180 });
  }

  answer(callId: string): void {
    const call = this.#call(callId);
    call.state = 'answered';
    this.#events.report({
      ...this.#base(call),
      type: 'answered',
      sipCallId: call.sipCallId,
      postDialDelayMs: call.direction === 'outbound' ? 120 : null,
    });
  }

  say(callId: string, index: number, text: string): void {
    this.report(callId, {
      type: 'turn',
      turn: { index, speaker: 'agent', text, startMs: index * 1000, endMs: index * 1000 + 500, interruptedAtMs: null },
    });
  }

  end(callId: string, ending: CallEnding): void {
    const call = this.#call(callId);
    if (call.state === 'ended') return;
    call.state = 'ended';
    this.onOver(call.sipCallId);
    this.#events.report({ ...this.#base(call), type: 'ended', ending, metrics: METRICS });
  }

  /** The node drops the call without a word. */
  forget(callId: string): void {
    this.calls.delete(callId);
  }

  async #hangUp({ callId, commandId, bootId }: CallCommand, control: HangupControl): Promise<CommandResult> {
    const { endReason, endedBy, unanswered } = control;
    const repeated = this.hangups.some((before) => before.commandId === commandId);
    this.hangups.push({ callId, commandId, endReason, endedBy });
    if (this.hangupAnswer === 'silent') return await this.#never();
    if (this.hangupAnswer !== 'end') return this.hangupAnswer;
    const call = this.calls.get(callId);
    if (call === undefined || bootId !== this.bootId) return { ok: false, code: 'call_unknown' };
    if (repeated) return { ok: true };
    const answered = call.state === 'answered';
    if (unanswered === true && answered) return { ok: false, code: 'answered' };
    this.end(callId, {
      disposition: answered ? 'answered' : 'canceled',
      endReason,
      endedBy,
      sip: { sipCallId: call.sipCallId, finalStatus: answered ? 200 : 487, reason: null, q850: null },
    });
    return { ok: true };
  }

  async control(command: CallCommand): Promise<CommandResult> {
    if (command.control.type === 'hangup') return await this.#hangUp(command, command.control);
    this.controls.push(command);
    if (this.controlAnswer === 'silent') return await this.#never();
    const call = this.calls.get(command.callId);
    if (call === undefined || command.bootId !== this.bootId) return { ok: false, code: 'call_unknown' };
    if (call.state === 'setup' || call.state === 'ringing') return { ok: false, code: 'not_answered' };
    if (this.controlAnswer !== 'done') return this.controlAnswer;
    const effect = this.controlEffect(command.control);
    if (effect !== null) this.effect(command, effect);
    return { ok: true };
  }

  /** The agent of the call, or its caller, wishes a transfer; its id. */
  want(callId: string, wish: TransferWish): string {
    const transferId = randomUUID();
    this.#events.report({ ...this.#base(this.#call(callId)), type: 'transfer_wanted', transferId, ...wish });
    return transferId;
  }

  /** Of a REFER of the peer's. */
  referred(callId: string, referId: string, outcome: 'accepted' | 'done' | 'failed', sipStatus: number): void {
    const base = this.#base(this.#call(callId));
    this.#events.report({ ...base, type: 'peer_referred', referId, outcome, sipStatus });
  }

  /** What a command that was taken has come to. */
  effect({ callId, commandId, control }: CallCommand, effect: CommandEffect): void {
    const base = this.#base(this.#call(callId));
    this.#events.report({ ...base, type: 'command', commandId, verb: control.type, ...effect });
  }

  status(callId: string): CallNodeStatus {
    const call = this.calls.get(callId);
    return call === undefined ? { known: false } : { known: true, state: call.state, lastSeq: call.seq };
  }

  listCalls(): readonly LiveCall[] {
    return [...this.calls.values()].flatMap(({ callId, state, sinceMs }) =>
      state === 'ended' ? [] : [{ callId, state, sinceMs }],
    );
  }

  tombstone(callId: string): void {
    this.tombstones.push(callId);
  }

  workflowLost(callId: string): void {
    this.lost.push(callId);
    if (this.calls.has(callId)) this.#endAs(callId, 'workflow_lost');
  }

  bootLost(): void {
    for (const callId of this.calls.keys()) this.#endAs(callId, 'media_node_lost');
  }

  #endAs(callId: string, endReason: 'workflow_lost' | 'media_node_lost'): void {
    const disposition = this.#call(callId).state === 'answered' ? 'answered' : 'failed';
    this.end(callId, { disposition, endReason, endedBy: 'system', sip: null });
  }

  trunkRevoked(trunkId: string): void {
    this.revokedTrunks.push(trunkId);
  }

  /** What a check of an outbound trunk finds; null: the trunk is unknown here. */
  outboundReport: (check: OutboundTrunkCheck) => Promise<OutboundTrunkReport | null> = () => Promise.resolve(null);
  readonly outboundChecks: OutboundTrunkCheck[] = [];
  readonly inboundChecks: InboundTrunkCheck[] = [];
  inboundFindings: InboundTrunkFindings = {
    knowsTrunk: true,
    unavailable: null,
    endpoint: { addresses: ['203.0.113.9'], status: 200, ours: true, error: null, durationMs: 1 },
    attempts: [],
    mediaPort: { port: 20_000, error: null, durationMs: 1 },
  };

  checkOutboundTrunk(check: OutboundTrunkCheck): Promise<OutboundTrunkReport | null> {
    this.outboundChecks.push(check);
    return this.outboundReport(check);
  }

  checkInboundTrunk(check: InboundTrunkCheck): Promise<InboundTrunkFindings> {
    this.inboundChecks.push(check);
    return Promise.resolve(this.inboundFindings);
  }

  report(
    callId: string,
    event: DistributiveOmit<Exclude<CallEvent, StateEvent>, 'callId' | 'orgId' | 'seq' | 'atMs'>,
  ): void {
    this.#events.report({ ...this.#base(this.#call(callId)), ...event });
  }

  /** What hangs fails now, so that its worker can end. */
  release(): void {
    for (const fail of this.#stuck.splice(0)) fail(new Error('released'));
  }

  #never<T>(): Promise<T> {
    return new Promise((_, reject) => this.#stuck.push(reject));
  }

  #base(call: FakeCall): { callId: string; orgId: string; seq: number; atMs: number } {
    return { callId: call.callId, orgId: call.orgId, seq: ++call.seq, atMs: Date.now() };
  }

  #call(callId: string): FakeCall {
    const call = this.calls.get(callId);
    if (call === undefined) throw new Error(`no call ${callId}`);
    return call;
  }

  #add(callId: string, orgId: string, direction: FakeCall['direction'], sipCallId: string): FakeCall {
    const call: FakeCall = { callId, orgId, direction, sipCallId, sinceMs: Date.now(), state: 'setup', seq: 0 };
    this.calls.set(callId, call);
    return call;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export const PEER_HANGUP: CallEnding = {
  disposition: 'answered',
  endReason: 'caller_hangup',
  endedBy: 'caller',
  sip: { sipCallId: 'peer', finalStatus: 200, reason: 'OK', q850: null },
};
