/**
 * The calls of a node: those being set up, the live ones by `callId`, the ended ones for a while (so that a status
 * says "ended" and a late command finds its call), tombstones, and what commands and dials have already been answered.
 */
import type { ConversationControl, CallNodeStatus, CommandResult, DialResult, LiveCall } from '../../contract/commands';
import type { CallLimits } from '../../contract/directory';
import type { EndReason, EndedBy } from '../../contract/endings';
import type { Clock } from '../clock';
import { CallPace } from './call-pace';
import type { LiveState } from './call-lifecycle';

/** Longer than any workflow asks about a call that is over. */
const REMEMBER_MS = 15 * 60_000;
const SWEEP_EVERY_ENTRIES = 256;

/** A call as the registry and the commands see it. */
export interface RegisteredCall {
  readonly trunkId: string;
  readonly liveState: LiveState;
  readonly lastSeq: number;
  /** Ends the call with BYE, CANCEL or a refusal; without effect on one that is ending. */
  hangUp(endReason: EndReason, endedBy: EndedBy): void;
  /** Takes a command, or says why not. */
  control(commandId: string, control: ConversationControl): CommandResult;
}

export type AdmissionRefusal = 'node_full' | 'node_draining' | 'trunk_full';

interface Entry {
  readonly call: RegisteredCall;
  readonly sinceMs: number;
  callId: string | null;
}

/** Values that are forgotten `REMEMBER_MS` after they were set. */
class Memory<V> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { readonly value: V; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: this.#clock.now() + REMEMBER_MS });
    if (this.#entries.size % SWEEP_EVERY_ENTRIES === 0) this.#sweep();
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.untilMs > this.#clock.now() ? entry.value : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #sweep(): void {
    const now = this.#clock.now();
    // Oldest first, as set() always appends.
    for (const [key, entry] of this.#entries) {
      if (entry.untilMs > now) return;
      this.#entries.delete(key);
    }
  }
}

export class CallRegistry {
  /** Of the calls that begin. */
  readonly pace: CallPace;
  readonly #clock: Clock;
  #maxCalls: number;
  readonly #entries = new Map<RegisteredCall, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #byTrunk = new Map<string, number>();
  readonly #settingUp = new Set<RegisteredCall>();
  readonly #legs = new Set<{ readonly trunkId: string; readonly revoke: () => void }>();
  readonly #ended: Memory<number>;
  readonly #tombstones: Memory<true>;
  readonly #commands: Memory<Promise<CommandResult>>;
  readonly #dials: Memory<Promise<DialResult>>;
  #draining = false;
  #whenEmpty: (() => void)[] = [];
  #onLoadChange: () => void = () => undefined;

  constructor(options: { readonly clock: Clock; readonly maxCalls: number }) {
    this.#clock = options.clock;
    this.#maxCalls = options.maxCalls;
    this.pace = new CallPace(options.clock);
    this.#ended = new Memory(options.clock);
    this.#tombstones = new Memory(options.clock);
    this.#commands = new Memory(options.clock);
    this.#dials = new Memory(options.clock);
  }

  /** Calls being set up, live or ending. */
  get size(): number {
    return this.#entries.size;
  }

  /** Calls that came in and wait for us, not for their caller. */
  get settingUp(): number {
    return this.#settingUp.size;
  }

  /** A call that was taken waits for us until it is ready, or leaves. */
  beginsSetUp(call: RegisteredCall): void {
    this.#settingUp.add(call);
  }

  isSetUp(call: RegisteredCall): void {
    this.#settingUp.delete(call);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** How many calls are taken at once. */
  get maxCalls(): number {
    return this.#maxCalls;
  }

  /** Calls that there are stay, also where they are more. */
  limitTo(maxCalls: number): void {
    this.#maxCalls = maxCalls;
    this.#onLoadChange();
  }

  /** Whether a further call would be taken. */
  get hasRoom(): boolean {
    return this.fullness === null;
  }

  /** Called whenever `size` or `hasRoom` may have changed. */
  set onLoadChange(listener: () => void) {
    this.#onLoadChange = listener;
  }

  /** Why a further call of this trunk would not be taken, as things are. */
  admission(trunkId: string, limits: CallLimits = {}): AdmissionRefusal | null {
    return this.fullness ?? (this.#isFull(trunkId, limits) ? 'trunk_full' : null);
  }

  /** Why this node would take no further call, whatever its trunk; null: it would. */
  get fullness(): Exclude<AdmissionRefusal, 'trunk_full'> | null {
    if (this.#draining) return 'node_draining';
    return this.#entries.size >= this.#maxCalls ? 'node_full' : null;
  }

  /** Takes the call, or says why not. A call that was taken must `leave`. */
  enter(call: RegisteredCall, limits: CallLimits = {}): AdmissionRefusal | null {
    const { trunkId } = call;
    const refusal = this.admission(trunkId, limits);
    if (refusal !== null) return refusal;
    this.#entries.set(call, { call, sinceMs: this.#clock.epochMs(), callId: null });
    this.#byTrunk.set(trunkId, (this.#byTrunk.get(trunkId) ?? 0) + 1);
    this.#onLoadChange();
    return null;
  }

  /** Gives an entered call its id; false when a live call has it. */
  identify(call: RegisteredCall, callId: string): boolean {
    const entry = this.#entries.get(call);
    if (!entry || this.#byId.has(callId)) return false;
    entry.callId = callId;
    this.#byId.set(callId, entry);
    return true;
  }

  leave(call: RegisteredCall): void {
    const entry = this.#entries.get(call);
    if (!entry) return;
    this.#entries.delete(call);
    this.#settingUp.delete(call);
    this.#release(call.trunkId);
    if (entry.callId !== null) {
      this.#byId.delete(entry.callId);
      if (call.lastSeq > 0) this.#ended.set(entry.callId, call.lastSeq);
    }
    this.#onLoadChange();
    if (this.#entries.size > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /**
   * Counts a further leg of a call with the calls of its trunk, until the answered function is called; or says why not.
   * `revoke`: the trunk was deleted.
   */
  occupy(trunkId: string, limits: CallLimits, revoke: () => void): 'trunk_full' | (() => void) {
    // A leg of a call that is here already needs no room for another, nor a node that takes calls.
    return this.#isFull(trunkId, limits) ? 'trunk_full' : this.track(trunkId, revoke);
  }

  /** As `occupy`, where it is not this node's to say how many the trunk carries. */
  track(trunkId: string, revoke: () => void): () => void {
    this.#byTrunk.set(trunkId, (this.#byTrunk.get(trunkId) ?? 0) + 1);
    const leg = { trunkId, revoke };
    this.#legs.add(leg);
    return () => {
      if (this.#legs.delete(leg)) this.#release(trunkId);
    };
  }

  find(callId: string): RegisteredCall | undefined {
    return this.#byId.get(callId)?.call;
  }

  hasEnded(callId: string): boolean {
    return this.#ended.get(callId) !== undefined;
  }

  status(callId: string): CallNodeStatus {
    const call = this.find(callId);
    if (call) return { known: true, state: call.liveState, lastSeq: call.lastSeq };
    const lastSeq = this.#ended.get(callId);
    return lastSeq === undefined ? { known: false } : { known: true, state: 'ended', lastSeq };
  }

  /** Identified calls that are not ended. */
  list(): readonly LiveCall[] {
    return [...this.#byId].map(([callId, { call, sinceMs }]) => ({
      callId,
      state: call.liveState,
      sinceMs,
    }));
  }

  tombstone(callId: string): void {
    this.#tombstones.set(callId, true);
  }

  isTombstoned(callId: string): boolean {
    return this.#tombstones.get(callId) === true;
  }

  /** The first result of a command stands for all its repeats. */
  commandOnce(callId: string, commandId: string, run: () => Promise<CommandResult>): Promise<CommandResult> {
    return remember(this.#commands, JSON.stringify([callId, commandId]), run);
  }

  /**
   * At most one INVITE per attempt: a repeat joins the dial under way and gets its result. A dial that did not send is
   * forgotten and may be tried again.
   */
  dialOnce(attemptId: string, run: () => Promise<DialResult>): Promise<DialResult> {
    const known = this.#dials.get(attemptId);
    if (known) return known;
    const result = remember(this.#dials, attemptId, run);
    const forget = (): void => this.#dials.delete(attemptId);
    result.then((outcome) => outcome.sent || forget(), forget);
    return result;
  }

  /** Takes no further call; resolves when none is left. */
  drain(): Promise<void> {
    this.#draining = true;
    this.#onLoadChange();
    if (this.#entries.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  hangUpAll(endReason: EndReason, endedBy: EndedBy): void {
    for (const { call } of this.#entries.values()) call.hangUp(endReason, endedBy);
  }

  /** Also the calls that have no id yet. */
  hangUpTrunk(trunkId: string, endReason: EndReason, endedBy: EndedBy): void {
    for (const { call } of this.#entries.values()) if (call.trunkId === trunkId) call.hangUp(endReason, endedBy);
    for (const leg of this.#legs) if (leg.trunkId === trunkId) leg.revoke();
  }

  #isFull(trunkId: string, { maxConcurrentCalls = null }: CallLimits): boolean {
    return maxConcurrentCalls !== null && (this.#byTrunk.get(trunkId) ?? 0) >= maxConcurrentCalls;
  }

  #release(trunkId: string): void {
    const left = (this.#byTrunk.get(trunkId) ?? 1) - 1;
    if (left === 0) this.#byTrunk.delete(trunkId);
    else this.#byTrunk.set(trunkId, left);
  }
}

function remember<V>(memory: Memory<Promise<V>>, key: string, run: () => Promise<V>): Promise<V> {
  const known = memory.get(key);
  if (known) return known;
  const result = run();
  memory.set(key, result);
  return result;
}
