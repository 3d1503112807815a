/**
 * Campaigns against a simulated clock and carrier. Who is claimed, what is checked and admitted, and what becomes of a contact
 * is decided by the product's own activities and statements, on a real PostgreSQL; simulated is what Temporal and the media
 * node do between them: a call is started a moment later, waits as it is told to, rings, talks and ends.
 */
import type { DataSource } from 'typeorm';

import { createDialDue } from '../../../activities/campaigns/dial-due';
import { checkCampaignCall, ofCampaign, refusedByStore } from '../../../activities/media/campaign-dial';
import type { CampaignCheck } from '../../../activities/media/campaign-dial';
import { newCall } from '../../../activities/new-call';
import { GatewayRests } from '../../../media/call/gateway-rests';
import type { CallEnding, Disposition } from '../../../contract/endings';
import { openDetails } from '../../../store/call-details';
import { attemptIdOf } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import type { Finalisation } from '../../../store/repositories/call-repository';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignStandingRepository } from '../../../store/repositories/campaign-standing-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { CampaignAdmission } from '../../../store/repositories/capacity-repository';
import { DialFactsRepository } from '../../../store/repositories/dial-facts-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import type { OutboundCallInput } from '../../../workflows/call/input';
import type { CampaignDialActivities } from '../../../workflows/campaign/activities';
import { SeededRandom } from '../live/random';
import { treatmentOf } from './carrier-mix';
import type { CarrierOutcome, CarrierRules } from './carrier-mix';
import { EventQueue } from './event-queue';
import type { PlannedEvent } from './event-queue';

/** One INVITE. */
export interface SimulatedDial {
  readonly atMs: number;
  readonly answeredAtMs: number | null;
  readonly endMs: number;
  readonly number: string;
  readonly contactId: string;
  readonly campaignId: string;
  readonly trunkId: string;
  readonly disposition: Disposition;
  /** Of a 503: as its Retry-After says; null: it has none, or is none. */
  readonly retryAfterSeconds: number | null;
}

export interface SimulationOptions {
  readonly dataSource: DataSource;
  readonly orgId: string;
  readonly campaignIds: readonly string[];
  readonly startMs: number;
  readonly carrier: CarrierRules;
  /** ISO codes. */
  readonly countries: readonly string[];
}

/** As the product: what a node may wait on itself, and from which wait on it asks once more. */
const AHEAD_MS = 1_000;
const ASKED_AGAIN_MS = 100;
/** A campaign is told of its contacts at most so often. */
const TOLD_MS = 500;
/** Events so close to each other run side by side, as they do on several machines: each as soon as there is room for it. */
export const TOGETHER_MS = 100;
const TOGETHER = 24;
/** Between a start and the dial: none that is started by what runs side by side comes before the end of it. */
const START_MS = [TOGETHER_MS, TOGETHER_MS + 300] as const;
/** Of a carrier without room. */
const RETRY_AFTER_SECONDS = 10;
const NODE = { nodeId: 'simulated', bootId: 'simulated' };

const DISPOSITIONS: Readonly<Record<CarrierOutcome, Disposition>> = {
  answered: 'answered',
  voicemail: 'voicemail',
  busy: 'busy',
  no_answer: 'no_answer',
  declined: 'rejected',
  blocked: 'blocked',
  rejected: 'blocked',
  congested: 'congestion',
};

interface Waiting {
  readonly input: OutboundCallInput;
  /** Told, or tried again, since: what was planned for it is void. */
  asked: number;
}

export class Simulation {
  readonly dials: SimulatedDial[] = [];
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  readonly #events = new EventQueue();
  readonly #secrets = new SecretBox(newMasterKey());
  readonly #calls: CallRepository;
  readonly #attempts: AttemptRepository;
  readonly #capacity: CapacityRepository;
  readonly #dialFacts: DialFactsRepository;
  readonly #rests: GatewayRests;
  #cooling: Promise<void> = Promise.resolve();
  readonly #turn: CampaignDialActivities;
  readonly #waiting = new Map<string, Waiting>();
  readonly #started = new Set<string>();
  readonly #callsTo = new Map<string, number>();
  /** When each campaign's next turn is. */
  readonly #nextTurn = new Map<string, number>();
  readonly #lastTurn = new Map<string, number>();
  #turns = 0;
  #nowMs: number;
  #awayUntilMs = 0;
  #endMs = Infinity;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { dataSource, startMs, carrier, countries } = options;
    this.#nowMs = startMs;
    this.#random = new SeededRandom(carrier.seed);
    this.#calls = new CallRepository(dataSource, { moved: (campaignId) => this.#moved(campaignId) });
    this.#attempts = new AttemptRepository(dataSource);
    this.#capacity = new CapacityRepository(dataSource);
    this.#dialFacts = new DialFactsRepository(dataSource);
    this.#rests = new GatewayRests(
      { now: () => this.#nowMs },
      {
        congested: (trunkId, restMs) => {
          this.#cooling = this.#capacity.coolDown(trunkId, restMs, this.#nowMs);
        },
      },
    );
    this.#turn = createDialDue({
      contacts: new CampaignContactRepository(dataSource),
      dialling: new CampaignDiallingRepository(dataSource),
      standings: new CampaignStandingRepository(dataSource),
      callers: new CallerRepository(dataSource),
      workflows: { startOutbound: (input) => this.#start(input), describe: (callId) => this.#describe(callId) },
      secrets: this.#secrets,
      allowedCountries: countries,
      nowMs: () => this.#nowMs,
    });
  }

  /** Something that somebody does then. */
  at(atMs: number, act: () => Promise<void>): void {
    this.#events.plan(atMs, act);
  }

  /** Nobody works then: what was planned comes when they are back, all at once. */
  away(fromMs: number, untilMs: number): void {
    this.#events.plan(fromMs, () => {
      this.#awayUntilMs = untilMs;
      return Promise.resolve();
    });
  }

  /** To that time; then nobody is claimed any more, and what is under way ends. */
  async run(untilMs: number): Promise<void> {
    this.#endMs = untilMs;
    for (const campaignId of this.#options.campaignIds) this.#planTurn(campaignId, this.#options.startMs);
    const running = new Map<PlannedEvent, Promise<void>>();
    while (running.size > 0 || this.#events.nextMs < Infinity) {
      const earliestMs = Math.min(...[...running.keys()].map(({ atMs }) => atMs), this.#events.nextMs);
      const event =
        running.size < TOGETHER && this.#events.nextMs <= earliestMs + TOGETHER_MS ? this.#events.take() : undefined;
      if (event === undefined) await Promise.race(running.values());
      else
        running.set(
          event,
          this.#happen(event).finally(() => running.delete(event)),
        );
    }
  }

  #happen({ atMs, run }: PlannedEvent): Promise<void> {
    this.#nowMs = atMs;
    return run(atMs);
  }

  /** For workers and nodes that are reached by Temporal; a call that is up goes on without. */
  #plan(atMs: number, run: (atMs: number) => Promise<void>): void {
    this.#events.plan(atMs, (nowMs) => {
      if (nowMs >= this.#awayUntilMs) return run(nowMs);
      this.#plan(this.#awayUntilMs + this.#random.between(0, 2_000), run);
      return Promise.resolve();
    });
  }

  #moved(campaignId: string): void {
    const atMs = Math.max(this.#nowMs, (this.#lastTurn.get(campaignId) ?? 0) + TOLD_MS);
    if (atMs < (this.#nextTurn.get(campaignId) ?? Infinity)) this.#planTurn(campaignId, atMs);
  }

  #planTurn(campaignId: string, atMs: number): void {
    if (atMs >= this.#endMs) return;
    this.#nextTurn.set(campaignId, atMs);
    this.#plan(atMs, async (nowMs) => {
      if (this.#nextTurn.get(campaignId) !== atMs) return; // there was another before it
      this.#nextTurn.delete(campaignId);
      this.#lastTurn.set(campaignId, nowMs);
      this.#turns += 1;
      const { orgId } = this.#options;
      this.#nowMs = nowMs;
      const { wakeInMs } = await this.#turn.dialDue({ campaignId, orgId, turn: `${campaignId}:${this.#turns}` });
      const wakeAtMs = wakeInMs === null ? Infinity : nowMs + wakeInMs;
      if (wakeAtMs < (this.#nextTurn.get(campaignId) ?? Infinity)) this.#planTurn(campaignId, wakeAtMs);
    });
  }

  #start(input: OutboundCallInput): Promise<'started' | 'exists'> {
    if (this.#started.has(input.callId)) return Promise.resolve('exists');
    this.#started.add(input.callId);
    this.#waiting.set(input.callId, { input, asked: 0 });
    this.#planDial(input.callId, input.createdAtMs + this.#random.between(...START_MS));
    return Promise.resolve('started');
  }

  #describe(callId: string): ReturnType<Parameters<typeof createDialDue>[0]['workflows']['describe']> {
    if (this.#started.has(callId)) throw new Error('a call that was started is taken for one that was not');
    return Promise.resolve(null);
  }

  #planDial(callId: string, atMs: number): void {
    const waiting = this.#waiting.get(callId);
    if (waiting === undefined) return;
    const asked = ++waiting.asked;
    this.#plan(atMs, async (nowMs) => {
      if (this.#waiting.get(callId)?.asked === asked) await this.#dial(waiting.input, nowMs);
    });
  }

  /** As the dial activity does, and its workflow before and after it. */
  async #dial(input: OutboundCallInput, nowMs: number): Promise<void> {
    const { callId, orgId, trunkId, expiresAtMs = Infinity } = input;
    if (!ofCampaign(input)) throw new Error('a call of no campaign');
    const details = openDetails(this.#secrets, input);
    if (details.to === null) throw new Error('a call to nobody');
    const row = newCall(input, details);
    if (nowMs >= expiresAtMs) {
      await this.#calls.insertCall(row);
      await this.#undialled(callId, nowMs, 'expired');
      return;
    }
    const check = await checkCampaignCall(this.#dialFacts, input, details.to, nowMs);
    if (!check.ok) {
      await this.#calls.insertCall(row);
      await this.#refused(input, check, nowMs);
      return;
    }
    const attempt = { attemptId: attemptIdOf(callId, 1), call: row, n: 1, sipCallId: attemptIdOf(callId, 1), ...NODE };
    const answer = await this.#capacity.admitCampaignCall(attempt, check.admission, AHEAD_MS, nowMs);
    if (!answer.ok) {
      if ('refusal' in answer) await this.#refused(input, refusedByStore(answer.refusal, check.admission), nowMs);
      else
        this.#planDial(
          callId,
          answer.retryInMs === null ? expiresAtMs : Math.min(nowMs + answer.retryInMs, expiresAtMs),
        );
      return;
    }
    this.#waiting.delete(callId);
    const { admission } = check;
    const to = details.to;
    // The node has it: nothing of what is away is needed.
    this.#events.plan(nowMs + answer.waitMs, (sentMs) =>
      this.#invite({ input, admission, to, trunkId, orgId }, sentMs, answer.waitMs >= ASKED_AGAIN_MS),
    );
  }

  async #invite(
    call: { input: OutboundCallInput; admission: CampaignAdmission; to: string; trunkId: string; orgId: string },
    sentMs: number,
    askedAgain: boolean,
  ): Promise<void> {
    const { input, admission, to, trunkId } = call;
    const { callId } = input;
    const attemptId = attemptIdOf(callId, 1);
    const refusal = askedAgain ? await this.#capacity.campaignRefusal(callId, admission, sentMs) : null;
    if (refusal !== null) {
      await this.#attempts.notSent(attemptId);
      await this.#release(attemptId, sentMs);
      await this.#refused(input, refusedByStore(refusal, admission), sentMs);
      return;
    }
    await this.#attempts.sent(attemptId, sentMs);
    const n = (this.#callsTo.get(to) ?? 0) + 1;
    this.#callsTo.set(to, n);
    const { outcome, ringMs, talkMs } = treatmentOf(this.#options.carrier, to, n);
    const ringsMs = outcome === 'no_answer' ? input.ringTimeoutSeconds * 1000 : ringMs;
    const answered = outcome === 'answered' || outcome === 'voicemail';
    const answeredAtMs = answered ? sentMs + ringsMs : null;
    const endMs = sentMs + ringsMs + (answered ? talkMs : 0);
    const disposition = DISPOSITIONS[outcome];
    const { campaignId, contactId } = admission;
    // Half of those that have no room say for how long.
    const retryAfterSeconds = outcome === 'congested' && Number(to.at(-1)) % 2 === 0 ? RETRY_AFTER_SECONDS : null;
    this.dials.push({
      atMs: sentMs,
      answeredAtMs,
      endMs,
      number: to,
      contactId,
      campaignId,
      trunkId,
      disposition,
      retryAfterSeconds,
    });
    this.#events.plan(endMs, async () => {
      this.#nowMs = endMs;
      const gateway = { host: 'carrier', port: null, transport: null };
      const status = outcome === 'congested' ? 503 : 486;
      this.#rests.answered({ id: trunkId, ...gateway }, gateway, { status, retryAfterSeconds });
      await this.#cooling;
      // Its node and its workflow, beside each other.
      await Promise.all([
        this.#release(attemptId, endMs),
        this.#finalise(
          callId,
          { disposition, endReason: answered ? 'callee_hangup' : null },
          { endMs, answeredAtMs },
          { attempt: { attemptId, state: 'finished' } },
        ),
      ]);
    });
  }

  async #refused(
    input: OutboundCallInput,
    check: CampaignCheck & { readonly ok: false },
    nowMs: number,
  ): Promise<void> {
    const { callId, orgId, campaign } = input;
    if (campaign === undefined) throw new Error('a call of no campaign');
    const { refusal: reason, detail, checks } = check;
    await this.#dialFacts.refused({ ...campaign, orgId, callId }, { reason, detail, checks }, nowMs);
    await this.#undialled(callId, nowMs, 'canceled');
  }

  async #undialled(callId: string, nowMs: number, disposition: 'canceled' | 'expired'): Promise<void> {
    this.#waiting.delete(callId);
    await this.#finalise(
      callId,
      { disposition, endReason: null },
      { endMs: nowMs, answeredAtMs: null },
      { undialled: true },
    );
  }

  async #finalise(
    callId: string,
    { disposition, endReason }: Pick<CallEnding, 'disposition' | 'endReason'>,
    { endMs: endedAtMs, answeredAtMs }: Pick<SimulatedDial, 'endMs' | 'answeredAtMs'>,
    how: Finalisation,
  ): Promise<void> {
    const ending: CallEnding = { disposition, endReason, endedBy: 'callee', sip: null };
    const ended = { callId, ending, endedAtMs, answeredAtMs, metrics: null, truncated: false };
    this.#nowMs = endedAtMs;
    const result = await this.#calls.finaliseCall(ended, how);
    if (result !== 'finalised') throw new Error(`${callId} was ${result} when it ended`);
  }

  async #release(leaseId: string, nowMs: number): Promise<void> {
    for (const callId of await this.#capacity.release(leaseId)) this.#planDial(callId, nowMs + 20);
  }
}
