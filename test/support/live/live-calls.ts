/**
 * Live calls of a stack: inbound ones of a test phone and outbound ones to a test phone that is their carrier. Keeps
 * what has to become of each, and finds what was heard, dialled and recorded otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber } from '../outbound';
import type { CallRecord } from '../outbound';
import { CallRefused } from '../phone/dialling';
import type { Phone } from '../phone/phone';
import type { PhoneCall } from '../phone/phone-call';
import type { Stack } from '../stack';
import { waitFor } from '../wait-for';
import { arrivalTimes, gapsUntil, stallsOf, unexplainedMs } from './audio-gaps';
import { DIALED, LivePhones } from './live-phones';
import { ThreadStalls } from './thread-stalls';

const LONGEST_GAP_MS = 200;
/** A machine that kept the phones waiting for longer than this cannot tell whether there was a gap. */
const LONGEST_STALL_MS = 3_000;
/** Their BYE may be seen that much later than their last packet: it is sent, and read here, by threads that have to wait. */
const LATE_BYE_MS = 1_500;
/** What a call waits for its first packet is no interruption; benchmarks measure it. */
const FIRST_PACKET_MS = 3_000;
const BETWEEN_CALLS_MS = 60;
const TWICE = 'twice';
/** Of the short calls that are placed before all others. */
const CLOCK_MARGIN_MS = 30_000;

export interface Ending {
  readonly disposition: string;
  readonly end_reason: string | null;
  readonly ended_by: string;
}

export interface LiveCall {
  readonly direction: 'inbound' | 'outbound';
  readonly phone: PhoneCall;
  /** Of outbound calls, whose number leads to what their carrier saw. */
  readonly number: string | null;
  readonly shortAgent: boolean;
  /** What the record has to say; null while nobody has ended the call. */
  ending: Ending | null;
  /** Epoch ms; our BYE or theirs. */
  endedAtMs: number | null;
  endedByUs: boolean;
}

export interface CallItem {
  readonly id: string;
  readonly direction: string;
  readonly to: string | null;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
  readonly ended_by: string | null;
  readonly truncated: boolean;
  readonly sip: { readonly call_id: string | null };
}

export interface AudioProblem {
  readonly sipCallId: string;
  /** Of the silence among the call's packets. */
  readonly place: 'before the first' | 'between' | 'after the last';
  /** Since the answer. */
  readonly afterMs: number;
  readonly ms: number;
}

export class LiveCalls {
  readonly #stack: Stack;
  readonly #phones: LivePhones;
  readonly #reading = new ThreadStalls();
  #calls: LiveCall[] = [];
  #placedAtMs = Date.now();

  static async create(stack: Stack): Promise<LiveCalls> {
    return new LiveCalls(stack, await LivePhones.open(stack));
  }

  private constructor(stack: Stack, phones: LivePhones) {
    this.#stack = stack;
    this.#phones = phones;
  }

  get phone(): Phone {
    return this.#phones.phone;
  }

  get carrier(): Phone {
    return this.#phones.carrier;
  }

  get all(): readonly LiveCall[] {
    return this.#calls;
  }

  get live(): readonly LiveCall[] {
    return this.#calls.filter(({ phone }) => !phone.over);
  }

  /** As many of the calls as come about while something is away. */
  async tryToPlace(counts: { readonly inbound: number; readonly outbound: number }): Promise<void> {
    await this.#place(counts, [], (placing) => placing.catch(() => undefined));
  }

  /** New calls, answered and recorded so; the ones before are forgotten, but those to keep. */
  async place(
    counts: { readonly inbound: number; readonly outbound: number },
    keep: readonly LiveCall[] = [],
  ): Promise<void> {
    await this.#place(counts, keep, (placing) => placing);
    // Whose answer has only just been given is not known to be answered when everything dies.
    await waitFor('the answers in the records', 20_000, async () => {
      const items = await this.#records();
      const known = (call: LiveCall): boolean =>
        items.some((item) => isRecordOf(item, call) && ['in_progress', 'completed'].includes(item.status));
      return this.#calls.every(known) ? true : undefined;
    });
  }

  async #place(
    counts: { readonly inbound: number; readonly outbound: number },
    keep: readonly LiveCall[],
    tolerate: (placing: Promise<unknown>) => Promise<unknown>,
  ): Promise<void> {
    this.#calls = [...keep];
    if (keep.length === 0) this.#placedAtMs = Date.now();
    const placing: Promise<unknown>[] = [];
    for (let i = 0; i < Math.max(counts.inbound, counts.outbound); i++) {
      if (i < counts.inbound) placing.push(tolerate(this.call()));
      if (i < counts.outbound) placing.push(tolerate(this.callOut()));
      await sleep(BETWEEN_CALLS_MS);
    }
    await Promise.all(placing);
  }

  /** Another phone for `call`, with a connection or a port of its own. */
  newPhone(transport: 'udp' | 'tcp'): Promise<Phone> {
    return this.#phones.another(transport);
  }

  /** An inbound call, answered. `short`: by the agent that ends its calls after `SHORT_CALL_MS`. */
  async call(options: { readonly short?: boolean; readonly phone?: Phone } = {}): Promise<LiveCall> {
    const { short = false, phone = this.phone } = options;
    const headers = short ? { headers: [['X-OPENCX-AGENT-ID', this.#phones.shortAgentId]] as const } : {};
    return this.#adopt('inbound', await phone.call(DIALED, headers), null, short);
  }

  /** An outbound call, answered by the carrier. */
  async callOut(): Promise<LiveCall> {
    const number = newNumber();
    await this.#phones.outbound.place(this.#phones.trunkId, number);
    const phone = await waitFor(`${number} at the carrier`, 15_000, () => {
      const invite = this.carrier.invites.find(({ user }) => user === number);
      return invite === undefined ? undefined : this.carrier.calls.get(invite.sipCallId);
    });
    return this.#adopt('outbound', phone, number, false);
  }

  /** How long the phone of a number at the carrier rings. */
  ringFor(number: string, ringMs: number | 'forever'): void {
    this.#phones.ringMs.set(number, ringMs);
  }

  /** An outbound call that rings, for as long as it is told to; its id. */
  async ringOut(ringMs: number | 'forever' = 'forever'): Promise<string> {
    const number = newNumber();
    this.ringFor(number, ringMs);
    const { id } = await this.#phones.outbound.place(this.#phones.trunkId, number);
    await waitFor(`${number} at the carrier`, 15_000, () =>
      this.carrier.invites.some(({ user }) => user === number) ? true : undefined,
    );
    return id;
  }

  /** The finished call, which left exactly one terminal event. */
  ended(callId: string, limitMs?: number): Promise<CallRecord> {
    return this.#phones.outbound.ended(callId, limitMs);
  }

  /** An INVITE while no call can begin: what came before its refusal, and when. */
  async refused(): Promise<{ status: number; retryAfter: string; rang: boolean; tookMs: number }> {
    const startMs = performance.now();
    const dialling = await this.phone.dial(DIALED);
    let rang = false;
    void dialling.ringing.then(() => (rang = true));
    const answer = await dialling.answered.catch((error: unknown) => error);
    if (!(answer instanceof CallRefused)) throw new Error('the call was not refused', { cause: answer });
    const retryAfter = answer.response?.headers.find(([name]) => name === 'retry-after')?.[1] ?? '';
    return { status: answer.status, retryAfter, rang, tookMs: performance.now() - startMs };
  }

  /** BYE by the phones; their answers. */
  async hangUpByPhone(calls: readonly LiveCall[]): Promise<number[]> {
    return Promise.all(
      calls.map(async (call) => {
        const inbound = call.direction === 'inbound';
        call.ending = answered(inbound ? 'caller_hangup' : 'callee_hangup', inbound ? 'caller' : 'callee');
        call.endedAtMs = epochMs();
        call.endedByUs = true;
        return call.phone.hangup();
      }),
    );
  }

  /** By the API, repeated while it or what it needs is away; resolves when their BYE has come. */
  async hangUpByApi(calls: readonly LiveCall[], limitMs = 20_000): Promise<void> {
    await Promise.all(
      calls.map(async (call) => {
        call.ending = answered('api_hangup', 'api');
        await waitFor(`hang-up of ${call.phone.sipCallId} by the API`, limitMs, async () => {
          const id = (await this.find(call).catch(() => undefined))?.id;
          if (id === undefined) return undefined;
          const answer = await this.#stack.api('POST', `/phone/calls/${id}/hangup`).catch(() => undefined);
          return answer?.status === 200 ? true : undefined;
        });
        await call.phone.ended;
      }),
    );
  }

  /** All that live end in the same way, without a word to their phones. */
  allEnd(ending: Ending): void {
    for (const call of this.live) call.ending = ending;
  }

  /** Records that have no end yet. */
  async open(): Promise<CallItem[]> {
    return (await this.#records()).filter(({ status }) => status !== 'completed');
  }

  /** The one record of a call, undefined before it is there. */
  async find(call: LiveCall): Promise<CallItem | undefined> {
    const found = (await this.#records()).filter((item) => isRecordOf(item, call));
    if (found.length > 1) throw new Error(`${found.length} records of ${call.phone.sipCallId}`);
    return found[0];
  }

  /** Waits until every ended call has its record; what is wrong with each that is not as it should be. */
  async wrongRecords(limitMs = 20_000): Promise<unknown[]> {
    const ended = this.#calls.filter(({ ending }) => ending !== null);
    const records = await waitFor(`the records of ${ended.length} calls`, limitMs, async () => {
      const items = await this.#records().catch(() => []);
      const completed = items.filter(({ status }) => status === 'completed');
      return ended.every((call) => completed.some((item) => isRecordOf(item, call))) ? items : undefined;
    });
    const wrong: unknown[] = [];
    for (const call of ended) {
      const own = records.filter((item) => isRecordOf(item, call));
      const [record] = own;
      const terminal = await this.#terminalEvents(record?.id ?? '');
      const matches =
        own.length === 1 &&
        record?.disposition === call.ending?.disposition &&
        record?.end_reason === call.ending?.end_reason &&
        record?.ended_by === call.ending?.ended_by &&
        terminal.join() === 'call.ended' &&
        this.#attemptsAtCarrier(call) === (call.direction === 'outbound' ? 1 : 0);
      if (!matches) {
        const attempts = this.#attemptsAtCarrier(call);
        wrong.push({ expected: call.ending, records: own.map(outcomeOf), terminal, attempts });
      }
    }
    return wrong;
  }

  /** Numbers for which the carrier got more than one Call-ID. */
  dialledTwice(): string[] {
    const seen = new Map<string, string>();
    for (const { user, sipCallId } of this.carrier.invites) {
      const first = seen.get(user) ?? sipCallId;
      seen.set(user, first === sipCallId ? first : TWICE);
    }
    return [...seen].filter(([, sipCallId]) => sipCallId === TWICE).map(([user]) => user);
  }

  /** Where the audio of any call stood still for more than 200 ms, of those that live until now. */
  async audioProblems(): Promise<AudioProblem[]> {
    const nowMs = epochMs();
    const stalls = stallsOf(arrivalTimes(await this.#phones.control.arrivals()), nowMs);
    const began = Math.min(...this.#calls.map(({ phone }) => epochMs(phone.times.answered ?? 0)));
    const worst = Math.max(0, ...stalls.filter((s) => s.endMs > began).map(({ startMs, endMs }) => endMs - startMs));
    if (worst > LONGEST_STALL_MS) throw new Error(`the machine kept the phones waiting for ${Math.round(worst)} ms`);
    const problems: AudioProblem[] = [];
    for (const { phone, endedAtMs, endedByUs } of this.#calls) {
      const answeredMs = epochMs(phone.times.answered ?? 0);
      const untilMs = endedAtMs ?? nowMs;
      for (const gap of gapsUntil([answeredMs, ...arrivalTimes(await phone.stream.arrivals())], untilMs)) {
        const first = gap.startMs === answeredMs;
        const last = gap.endMs === untilMs;
        const theirBye = last && phone.over && !endedByUs;
        const lateByeMs = theirBye ? LATE_BYE_MS : 0;
        const unread = theirBye ? unexplainedMs(gap, this.#reading.noted) : Infinity;
        const ms = Math.min(unexplainedMs(gap, stalls), unread);
        if (ms <= (first ? FIRST_PACKET_MS : LONGEST_GAP_MS + lateByeMs)) continue;
        problems.push({
          sipCallId: phone.sipCallId,
          place: first ? 'before the first' : last ? 'after the last' : 'between',
          afterMs: Math.round(gap.startMs - answeredMs),
          ms: Math.round(ms),
        });
      }
    }
    return problems;
  }

  /** Hangs up what came about although its placing had failed. */
  async dropStrays(): Promise<void> {
    const known = new Set(this.#calls.map(({ phone }) => phone));
    const all = [this.phone, this.carrier].flatMap(({ calls }) => [...calls.values()]);
    const strays = all.filter((call) => !call.over && !known.has(call));
    await Promise.all(strays.map((call) => call.hangup()));
  }

  close(): Promise<void> {
    this.#reading.close();
    return this.#phones.close();
  }

  #adopt(direction: LiveCall['direction'], phone: PhoneCall, number: string | null, shortAgent: boolean): LiveCall {
    const call: LiveCall = { direction, phone, number, shortAgent, ending: null, endedAtMs: null, endedByUs: false };
    this.#calls.push(call);
    void phone.ended.then(({ atMs }) => (call.endedAtMs ??= epochMs(atMs)));
    return call;
  }

  /** Call-IDs that the carrier got for the call's number. */
  #attemptsAtCarrier({ number }: LiveCall): number {
    const own = this.carrier.invites.filter(({ user }) => user === number);
    return new Set(own.map(({ sipCallId }) => sipCallId)).size;
  }

  async #terminalEvents(callId: string): Promise<string[]> {
    const events = await this.#phones.outbound.events(callId);
    return events.map(({ type }) => type).filter((type) => type === 'call.ended' || type === 'call.failed');
  }

  async #records(): Promise<CallItem[]> {
    const items: CallItem[] = [];
    const after = new Date(this.#placedAtMs - CLOCK_MARGIN_MS).toISOString();
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await this.#stack.api<{ items: CallItem[]; next: string | null }>(
        'GET',
        `/phone/calls?limit=100&created_after=${after}${query}`,
      );
      if (page.status !== 200) throw new Error(`calls: ${page.status}`);
      items.push(...page.body.items);
      cursor = page.body.next;
    } while (cursor !== null);
    return items;
  }
}

/** The record of an answered call that ended so. */
export function answered(endReason: string, endedBy: string): Ending {
  return { disposition: 'answered', end_reason: endReason, ended_by: endedBy };
}

export function epochMs(performanceMs: number = performance.now()): number {
  return performance.timeOrigin + performanceMs;
}

function outcomeOf({ id, status, disposition, end_reason, ended_by }: CallItem): Partial<CallItem> {
  return { id, status, disposition, end_reason, ended_by };
}

function isRecordOf(item: CallItem, { phone, number }: LiveCall): boolean {
  return number === null ? item.sip.call_id === phone.sipCallId : item.to === number;
}
