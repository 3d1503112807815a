import { condition, sleep } from '@temporalio/workflow';
import type { CommandEffect } from '../../contract/commands';
import type { HangupCause } from '../../contract/endings';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import { changed, revision } from '../revision';
import { CallProgress } from './call-progress';
import type { CallNode } from './call-progress';
import { CallSchedule } from './call-schedule';
import { CallTransfer } from './call-transfer';
import { FORGOTTEN, MAX_DURATION, SETUP_ABANDONED } from './endings';
import type { CallInput } from './input';
import type {
  CallStateSignal,
  ControlRequest,
  ControlResult,
  RescheduleRequest,
  RescheduleResult,
  TransferAcceptance,
  TransferRequest,
} from './messages';
import * as node from './node-commands';
import { showAnswered, showDetails } from './presentation';
import { CallProjection } from './projection';

/** An inbound call is answered within this, or its node is asked. */
const ANSWER_BY_MS = 10_000;
/** The node ends a call that is too long; the workflow only where it has not. */
const BACKSTOP_MS = 30_000;
/** An `ended` event is on its way this long at most before the node's word "I do not have it" counts. */
const LAST_WORD_MS = 5_000;
/** The node's workflow owes a verdict on a suspicion; after this the call finds out by itself. */
const VERDICT_MS = 20_000;

/**
 * A placed call, from the moment a node has it until it ends: answer, hang-up, the three ways of asking a node that
 * says nothing, and the loss of the node. Signals only change state; what follows from it happens in the watches here,
 * all of which stand until the call has ended.
 */
export class CallRun {
  readonly input: CallInput;
  readonly progress: CallProgress;
  readonly projection = new CallProjection();
  readonly transfer = new CallTransfer(this.projection);
  readonly schedule: CallSchedule;
  /**
   * An answer is in the store before anything else is heard of the call, and signalled only to who waits for it. Not of
   * calls that an earlier revision began: they go on as they are used to.
   */
  readonly nodeKeepsRecord = revision() >= 2;
  /** And of one that has come in the row, sooner or later: an earlier revision made it whatever the node does. */
  readonly nodeKeepsRow: boolean;
  /** Number of the attempt that was begun last. */
  attempt = 0;
  #hangup: node.HangupRequest | null = null;
  #hangupSent = false;
  #answers = 0;
  #timesCalled = 0;
  #verdictsAlive = 0;
  #verifications = 0;
  /** Whom the peer has referred us to is being called: the id of its REFER. */
  #followed: string | null = null;
  /** Of commands whose updates still wait. */
  readonly #outcomes = new Map<string, CommandEffect | null>();

  constructor(input: CallInput) {
    this.input = input;
    this.progress = new CallProgress(input);
    this.nodeKeepsRow = input.direction === 'inbound' && input.rowByNode === true && revision() >= 3;
    this.schedule = new CallSchedule(input);
  }

  get hangupRequest(): HangupCause | null {
    return this.#hangup;
  }

  /** How often the call was told that there may be room for it. */
  get timesCalled(): number {
    return this.#timesCalled;
  }

  onCapacity(): void {
    this.#timesCalled++;
  }

  /** One that holds only as long as nobody has answered gives way to one that holds in any case. */
  requestHangup(request: node.HangupRequest): void {
    if (this.#hangup === null || (this.#hangup.unanswered === true && request.unanswered !== true)) {
      this.#hangup = request;
    }
  }

  onStateEvent(signal: CallStateSignal): void {
    const effect = this.progress.stateEvent(signal);
    if (effect === 'answered') this.#answers++;
    if (effect === 'transfer_wanted' && signal.type === effect) void this.#onWish(signal);
    if (effect === 'peer_referred' && signal.type === 'peer_referred') void this.#peerReferred(signal);
    if (effect !== 'command' || signal.type !== 'command') return;
    const { commandId, outcome, sipStatus, legOutcome, mayDial } = signal;
    const came: CommandEffect = {
      outcome,
      ...(sipStatus === undefined ? {} : { sipStatus }),
      ...(legOutcome === undefined ? {} : { legOutcome }),
      ...(mayDial === undefined ? {} : { mayDial }),
    };
    if (this.#outcomes.has(commandId)) this.#outcomes.set(commandId, came);
    else void this.transfer.onEffect({ commandId, effect: came, atMs: signal.atMs });
  }

  onNodeLost(bootId: string, answeredAtMs?: number): void {
    this.progress.nodeLost(bootId, Date.now(), answeredAtMs);
  }

  onNodeAlive(bootId: string): void {
    if (this.progress.node?.bootId === bootId) this.#verdictsAlive++;
  }

  onVerify(bootId: string): void {
    if (this.progress.node?.bootId === bootId) this.#verifications++;
  }

  /** Of a node that was asked. */
  adoptAnswer(): void {
    if (!this.nodeKeepsRecord && this.progress.adoptAnswer(Date.now())) this.#answers++;
  }

  /** Looked up where no signal has told so. */
  async wasAnswered(): Promise<boolean> {
    if (!this.nodeKeepsRecord || this.progress.answeredAtMs !== null) return this.progress.answeredAtMs !== null;
    const answeredAtMs = await this.projection.recordedAnswer(this.input.callId);
    if (answeredAtMs !== null) this.progress.adoptAnswer(answeredAtMs);
    return this.progress.answeredAtMs !== null;
  }

  /** `done` when BYE or CANCEL was sent, or the call has ended meanwhile; `ended` when it had before. */
  async hangUp(request: HangupCause): Promise<ControlResult & { readonly outcome: 'done' | 'ended' }> {
    if (this.progress.ended) return { outcome: 'ended' };
    this.requestHangup(request);
    await condition(() => this.progress.ended || this.#hangupSent);
    return { outcome: 'done' };
  }

  /** As a hang-up, unless somebody has answered: its node alone knows whether. */
  async giveUp({ endReason, endedBy }: HangupCause): Promise<ControlResult> {
    if (this.progress.ended) return { outcome: 'ended' };
    if (this.progress.answeredAtMs !== null) return { outcome: 'refused', code: 'answered' };
    this.requestHangup({ endReason, endedBy, unanswered: true });
    await condition(() => this.progress.ended || this.#hangupSent || this.#hangup === null);
    return this.progress.ended || this.#hangupSent ? { outcome: 'done' } : { outcome: 'refused', code: 'answered' };
  }

  /** Of a call that waits, for its time or for room; answered when the row shows it. */
  async reschedule(request: RescheduleRequest): Promise<RescheduleResult> {
    if (this.progress.ended || this.#hangup !== null) return { outcome: 'ended' };
    const { status } = this.progress;
    if (status !== 'scheduled' && status !== 'queued') return { outcome: 'refused', code: 'not_waiting' };
    const changed = this.schedule.change(request);
    if (changed.outcome === 'done') {
      const { scheduledAtMs, expiresAtMs } = changed;
      await this.projection.scheduleChanged({ callId: this.input.callId, scheduledAtMs, expiresAtMs });
    }
    return changed;
  }

  /** One command to the node, until its effect is known or the call has ended. */
  async control({ commandId, control }: ControlRequest): Promise<ControlResult> {
    if (control.type === 'hangup')
      return await (control.unanswered === true ? this.giveUp(control) : this.hangUp(control));
    const { callId, orgId } = this.input;
    const { node: place } = this.progress;
    if (this.progress.ended) return { outcome: 'ended' };
    // Its node knows it, and says so.
    const answered = this.nodeKeepsRecord || this.progress.answeredAtMs !== null;
    if (place === null || !answered) return { outcome: 'refused', code: 'not_answered' };
    this.#outcomes.set(commandId, null);
    try {
      const taken = await node.control(place, { callId, orgId, commandId, control });
      if (this.progress.ended) return { outcome: 'ended' };
      if (taken === 'silent') {
        await node.suspect(callId, place);
        return { outcome: 'unknown' };
      }
      if (!taken.ok) {
        if (taken.code !== 'ended' && taken.code !== 'call_unknown') return { outcome: 'refused', code: taken.code };
        // Its `ended` is on its way, or the node has lost it: then it is asked.
        this.#verifications++;
        return { outcome: 'ended' };
      }
      await condition(() => this.progress.ended || this.#outcomes.get(commandId) !== null);
      return this.#outcomes.get(commandId) ?? { outcome: 'ended' };
    } finally {
      this.#outcomes.delete(commandId);
    }
  }

  /** Answered when the transfer has begun. */
  async beginTransfer({ by = 'api', ...request }: TransferRequest): Promise<TransferAcceptance> {
    const { callId, orgId } = this.input;
    const { node: place } = this.progress;
    if (this.progress.ended) return { outcome: 'ended' };
    const answered = this.progress.answeredAtMs !== null || (await this.wasAnswered());
    if (this.#isOver()) return { outcome: 'ended' };
    if (place === null || !answered) return { outcome: 'refused', code: 'not_answered' };
    const refusal = this.#followed === null ? this.transfer.refusal : 'transferring';
    if (refusal !== null) return { outcome: 'refused', code: refusal };
    const { nodeId, bootId } = place;
    this.#storeRow();
    await this.transfer.begin({ ...request, callId, orgId, nodeId, bootId }, by);
    return { outcome: 'accepted' };
  }

  /** A plan is made of the row, and what becomes of it is written there: no later than that it is stored. */
  #storeRow(): void {
    if (this.nodeKeepsRow) this.projection.recordCall(this.input);
  }

  /** As a request of the API, but that it is decided here what may be. Never rejects. */
  async #onWish({ transferId, by, destinationId, atMs }: CallStateSignal & { type: 'transfer_wanted' }): Promise<void> {
    const { callId, orgId } = this.input;
    this.#storeRow();
    const planned = await this.projection.planTransfer({ callId, orgId, transferId, by, destinationId });
    let code = 'code' in planned ? planned.code : null;
    if (planned.ok) {
      const { ok: _, ...plan } = planned;
      // What became of one that has begun is in its own record.
      const begun = await this.beginTransfer({ transferId, by, ...plan, requestedAtMs: atMs }).catch(() => null);
      if (begun?.outcome === 'refused') code = begun.code;
    }
    const { node: place } = this.progress;
    if (code === null || this.progress.ended || place === null) return;
    const control = { type: 'refuseTransfer', transferId, code } as const;
    await node.control(place, { callId, orgId, commandId: `${transferId}:refuse`, control });
    await this.projection.transferRefused({ callId, transferId, by, destinationId, code, atMs: Date.now() });
  }

  /**
   * One INVITE for one REFER, which leaves when this has said so and never after the node has stopped to wait for it; not
   * while we are about to hand the peer over ourselves.
   */
  async #peerReferred({ referId, outcome }: CallStateSignal & { readonly type: 'peer_referred' }): Promise<void> {
    if (outcome !== 'accepted') {
      if (this.#followed === referId) this.#followed = null;
      return;
    }
    const { callId, orgId } = this.input;
    const { node: place } = this.progress;
    if (place === null) return;
    const follow = this.#followed === null && this.transfer.refusal !== 'transferring';
    if (follow) this.#followed = referId;
    const control = { type: 'followRefer', referId, follow } as const;
    const taken = await node.control(place, { callId, orgId, commandId: `${referId}:follow`, control });
    // A node that has not answered may have begun, and tells what comes of it.
    if (taken === 'silent') await node.suspect(callId, place);
    else if (!taken.ok && this.#followed === referId) this.#followed = null;
  }

  /** Resolves when the call has ended. Watches that still wait for an answer of the node then are left behind. */
  async untilEnded(): Promise<void> {
    const watches = this.nodeKeepsRecord
      ? [this.#watchHangup(), this.#watchVerifications()]
      : [this.#watchAnswer(), this.#watchHangup(), this.#watchVerifications()];
    if (this.nodeKeepsRecord) void this.#backstop(setupMs(this.input));
    else if (this.input.direction === 'inbound') watches.push(this.#watchSetup());
    await Promise.race([Promise.all(watches), condition(() => this.progress.ended)]);
    await condition(() => this.progress.ended);
  }

  /** Of calls of an earlier revision, as `#watchSetup`. */
  async #watchAnswer(): Promise<void> {
    let seen = 0;
    let armed = false;
    for (;;) {
      await condition(() => this.progress.ended || this.#answers > seen);
      if (this.progress.ended) return;
      if (seen === 0) showAnswered();
      seen = this.#answers;
      showDetails(this.input, this.progress, this.attempt);
      this.projection.recordAnswered(
        () => ({
          callId: this.input.callId,
          nodeId: this.progress.node?.nodeId ?? '',
          bootId: this.progress.node?.bootId ?? '',
          sipCallId: this.progress.node?.sipCallId ?? null,
          answeredAtMs: this.progress.answeredAtMs ?? Date.now(),
        }),
        () => this.progress.ended,
      );
      if (!armed) void this.#backstop(0);
      armed = true;
    }
  }

  /** Never cancelled: a timer that is left behind costs no event. */
  async #backstop(setUpMs: number): Promise<void> {
    await sleep(setUpMs + this.input.maxDurationSeconds * 1000 + BACKSTOP_MS, {
      summary: 'maximum duration, and a grace',
    });
    if (this.progress.ended) return;
    this.requestHangup(MAX_DURATION);
    await sleep(BACKSTOP_MS, { summary: 'for the hang-up after the maximum duration' });
    this.#verifications++;
  }

  async #watchHangup(): Promise<void> {
    for (;;) {
      await condition(() => this.progress.ended || this.#hangup !== null);
      const { node: place } = this.progress;
      const request = this.#hangup;
      if (this.progress.ended || request === null || place === null) return;
      const outcome = await node.hangup(this.input, place, request);
      if (this.progress.ended) return;
      if (outcome === 'answered') {
        // Unless somebody has asked for more meanwhile.
        if (this.#hangup === request) this.#hangup = null;
        continue;
      }
      if (outcome === 'sent') {
        this.#hangupSent = true;
        return;
      }
      if (outcome === 'unknown') {
        return changed('a-last-word-is-waited-for') ? await this.#askNode() : await this.#endForgotten();
      }
      await this.#suspect(place);
    }
  }

  /** `answerBy`: only a node that says it has no such call, or no more, makes an abandoned one of it. */
  async #watchSetup(): Promise<void> {
    for (;;) {
      const settled = await condition(() => this.progress.ended || this.progress.answeredAtMs !== null, ANSWER_BY_MS, {
        summary: 'for the answer',
      });
      if (settled) return;
      await this.#askNode();
    }
  }

  async #watchVerifications(): Promise<void> {
    let seen = 0;
    for (;;) {
      await condition(() => this.progress.ended || this.#verifications > seen);
      if (this.progress.ended) return;
      seen = this.#verifications;
      await this.#askNode();
    }
  }

  async #askNode(): Promise<void> {
    const { node: place } = this.progress;
    if (place === null) return;
    const answer = await node.status(this.input.callId, place.nodeId);
    if (this.progress.ended) return;
    // Another boot answers for the queue of the node: the one that had the call is gone, or about to be found so.
    if (answer === 'silent' || answer.bootId !== place.bootId) return await this.#suspect(place);
    if (!answer.status.known || answer.status.state === 'ended') {
      // Over an outage a word takes as long as it takes: as long as the node has one to say, it is asked again.
      return answer.untold === true ? await this.#awaitLastWord() : await this.#endForgotten();
    }
    if (answer.status.state === 'answered') this.adoptAnswer();
  }

  async #awaitLastWord(): Promise<void> {
    if (await condition(() => this.progress.ended, LAST_WORD_MS, { summary: 'for the last word of the node' })) return;
    await this.#askNode();
  }

  /** The node has no such call, or no more: its last word may still be on its way, then the call ends without it. */
  async #endForgotten(): Promise<void> {
    if (await condition(() => this.progress.ended, LAST_WORD_MS, { summary: 'for the last word of the node' })) return;
    const answered = this.progress.answeredAtMs !== null || (this.nodeKeepsRecord && (await this.wasAnswered()));
    const abandoned = this.input.direction === 'inbound' && !answered;
    const ending = abandoned ? SETUP_ABANDONED : FORGOTTEN;
    const request = this.#hangup;
    this.progress.end(
      request === null || abandoned ? ending : { ...ending, endReason: request.endReason, endedBy: request.endedBy },
      Date.now(),
      { truncated: true },
    );
  }

  /** What a handler may have changed while others waited. */
  #isOver(): boolean {
    return this.progress.ended;
  }

  /** Returns when the node was found alive, or the call has ended because it was not. */
  async #suspect(place: CallNode): Promise<void> {
    const before = this.#verdictsAlive;
    const settled = (): boolean => this.progress.ended || this.#verdictsAlive > before;
    const asked = await node.suspect(this.input.callId, place);
    if (settled()) return;
    if (asked && (await condition(settled, VERDICT_MS, { summary: 'for the verdict on the node' }))) return;
    if (await this.#isLost(place)) this.progress.nodeLost(place.bootId, Date.now());
    else await sleep('1s', { summary: 'until the node is asked again' });
  }

  async #isLost({ nodeId, bootId }: CallNode): Promise<boolean> {
    if (changed('losses-are-marked')) return await this.projection.declareLost({ nodeId, bootId });
    const presence = await this.projection.nodePresence(nodeId);
    return presence === null || presence.bootId !== bootId || presence.silentMs > NODE_SILENCE_MS;
  }
}

/** Until the answer, at most: a call that has come in is answered well within the grace of the backstop. */
function setupMs(input: CallInput): number {
  return input.direction === 'inbound' ? 0 : input.ringTimeoutSeconds * 1000;
}
