/**
 * This node's part of the ledger of capacity: what slots its calls have, given back when they are over. Every 10 s it says
 * so again, in case somebody has taken this boot for lost; and as every node does, it gives back what boots that are gone
 * have left, and calls those who wait although there is room, in case the node that was to call them has died.
 */
import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import { NODE_LEASE_MS } from '../contract/capacity';
import type { NodeBoot } from '../contract/nodes';
import type { TrunkCapacity } from '../media';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import type { Sleep } from '../ops/retry';
import { StoreError } from '../store/errors';
import { uuidV7 } from '../store/ids';
import type {
  CampaignAdmission,
  CampaignAnswer,
  CapacityAdmission,
  CapacityHolder,
  CapacityInUse,
  CapacityRepository,
  IntendedAttempt,
} from '../store/repositories/capacity-repository';
import type { CallWorkflows } from '../workflows/client/call-workflows';
import { TrunkSpacing } from './trunk-spacing';
import type { Departing } from './trunk-spacing';

export interface CapacityLedgerOptions {
  readonly boot: NodeBoot;
  readonly store: Pick<
    CapacityRepository,
    | 'admitCall'
    | 'admitCampaignCall'
    | 'campaignRefusal'
    | 'admitLeg'
    | 'takeTurn'
    | 'release'
    | 'coolDown'
    | 'hold'
    | 'leaveQueue'
    | 'inUse'
  >;
  readonly workflows: Pick<CallWorkflows, 'signalCapacity'>;
  readonly logger: Logger;
  /** For tests, as the next one. */
  readonly nowMs?: () => number;
  readonly sleep?: Sleep;
}

const TURN_MS = 10_000;
/** A dial waits so long for its turn on its node; for a later one its workflow waits. */
const DIAL_AHEAD_MS = 1_000;
/** After a wait as long as this it is asked once more whether the campaign wants the call. */
const ASK_AGAIN_MS = 100;
/** And after one as long as this behind others that were late: a pause is heard within a second. */
const LATE_MS = 500;
/** Where many are late, one of a campaign is asked after for all of them: not one by one, each behind the other. */
const WANTED_MS = 250;
/** Turns that follow each other so closely are kept apart by the ledger alone. */
const CLOSE_MS = 20;
/** Somebody is listening, and nothing else can wait for it. */
const LEG_AHEAD_MS = 5_000;
/** The call is under way; before that the carrier's answer is as good as none. */
const FAILOVER_AHEAD_MS = 10_000;
/** A leg does not wait longer for PostgreSQL. */
const ASK_MS = 2_000;
/** At the end, for slots that are being given back. */
const STOP_MS = 2_000;

export class CapacityLedger implements TrunkCapacity {
  readonly #options: CapacityLedgerOptions;
  readonly #nowMs: () => number;
  readonly #sleep: Sleep;
  readonly #spacing: TrunkSpacing;
  readonly #held = new Map<string, CapacityHolder>();
  /** Attempts whose admission is under way; true: it is not wanted any more. */
  readonly #asking = new Map<string, boolean>();
  /** By campaign: which version was found to call, and when that was asked. */
  readonly #wanted = new Map<string, { readonly version: number; readonly askedMs: number }>();
  readonly #closing = new AbortController();
  readonly #releasing = new Set<Promise<void>>();
  /** What is released waits for it: it would be stored again. */
  #holding: Promise<unknown> = Promise.resolve();
  /** Monotonic: since when each turn has reached PostgreSQL. */
  #watchingSinceMs: number | null = null;
  #lastTurnMs = -Infinity;
  #loop: Promise<void> | null = null;

  constructor(options: CapacityLedgerOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.#sleep = options.sleep ?? sleepOnTimer;
    this.#spacing = new TrunkSpacing(options);
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** What is not given back by then others find. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    await withDeadline(Promise.all(this.#releasing), STOP_MS).catch(() => undefined);
  }

  /** Resolves at the turn of the dial, with null; or else with what its workflow has to wait for. */
  async admitCall(
    attempt: IntendedAttempt,
    trunkId: string,
    campaign?: CampaignAdmission,
  ): Promise<Extract<CampaignAnswer, { ok: false }> | null> {
    const { attemptId: leaseId, call } = attempt;
    const holder = { leaseId, orgId: call.orgId, trunkId, campaignId: campaign?.campaignId ?? null };
    this.#asking.set(leaseId, false);
    let admission: CampaignAnswer;
    let over = false;
    try {
      const { store } = this.#options;
      admission =
        campaign === undefined
          ? await store.admitCall(attempt, DIAL_AHEAD_MS)
          : await store.admitCampaignCall(attempt, campaign, DIAL_AHEAD_MS);
    } catch (error) {
      // It may have been stored nevertheless; an attempt that was begun before has its slot from then.
      if (!(error instanceof StoreError && error.code === 'attempt_exists')) this.#release(leaseId);
      throw error;
    } finally {
      over = this.#asking.get(leaseId) === true;
      this.#asking.delete(leaseId);
    }
    if (!admission.ok) return admission;
    if (over) {
      this.#release(leaseId);
      return null;
    }
    this.#held.set(leaseId, holder);
    const refusal = async (): Promise<string | null> => {
      if (campaign === undefined) return null;
      const askedMs = this.#nowMs();
      const refused = await this.#options.store.campaignRefusal(call.id, campaign);
      if (refused === null) this.#wanted.set(campaign.campaignId, { version: campaign.version, askedMs });
      return refused;
    };
    try {
      await this.#wait(admission.waitMs);
      let refused = admission.waitMs < ASK_AGAIN_MS ? null : await refusal();
      refused ??= await this.#depart(trunkId, admission.spacingMs, {
        isOver: () => !this.#held.has(leaseId),
        refusal: (waitedMs) => (waitedMs < LATE_MS || this.#isWanted(campaign) ? Promise.resolve(null) : refusal()),
      });
      if (refused === null) return null;
      this.attemptOver(leaseId);
      return { ok: false, refusal: refused };
    } catch (error) {
      this.attemptOver(leaseId);
      throw error;
    }
  }

  /** Of a call that was admitted; null: it is wanted. */
  campaignRefusal(callId: string, campaign: CampaignAdmission): Promise<string | null> {
    return this.#options.store.campaignRefusal(callId, campaign);
  }

  async occupy({ orgId, trunkId }: Omit<CapacityHolder, 'leaseId'>): Promise<(() => void) | null> {
    const holder = { leaseId: uuidV7(), orgId, trunkId };
    const { store, boot } = this.#options;
    const admission = await this.#ask(() => store.admitLeg(holder, boot, LEG_AHEAD_MS));
    if (admission?.ok !== true) {
      if (admission === null) this.#release(holder.leaseId);
      return null;
    }
    this.#held.set(holder.leaseId, holder);
    await this.#wait(admission.waitMs);
    await this.#depart(trunkId, admission.spacingMs);
    return () => this.attemptOver(holder.leaseId);
  }

  async turn(leg: Omit<CapacityHolder, 'leaseId'>): Promise<boolean> {
    const admission = await this.#ask(() => this.#options.store.takeTurn(leg, FAILOVER_AHEAD_MS));
    if (admission?.ok !== true) return false;
    await this.#wait(admission.waitMs);
    await this.#depart(leg.trunkId, admission.spacingMs);
    return true;
  }

  attemptOver(leaseId: string): void {
    if (this.#asking.has(leaseId)) this.#asking.set(leaseId, true);
    else if (this.#held.delete(leaseId)) this.#release(leaseId);
  }

  congested(trunkId: string, restMs: number): void {
    this.#options.store.coolDown(trunkId, restMs).catch((error: unknown) => {
      this.#options.logger.warn({ err: error, trunkId }, 'a carrier that wants to be left in peace will not be');
    });
  }

  /** Of all nodes; null while PostgreSQL does not say. */
  inUse(): Promise<readonly CapacityInUse[] | null> {
    return withDeadline(this.#options.store.inUse(), ASK_MS).catch(() => null);
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await this.#sleep(ms, undefined, {});
  }

  #isWanted(campaign: CampaignAdmission | undefined): boolean {
    const found = this.#wanted.get(campaign?.campaignId ?? '');
    return found !== undefined && found.version === campaign?.version && this.#nowMs() - found.askedMs < WANTED_MS;
  }

  async #depart(trunkId: string, spacingMs: number | null, departing?: Departing<string>): Promise<string | null> {
    if (spacingMs === null || spacingMs < CLOSE_MS) return null;
    return this.#spacing.depart(trunkId, spacingMs, departing);
  }

  async #ask(question: () => Promise<CapacityAdmission>): Promise<CapacityAdmission | null> {
    try {
      return await withDeadline(question(), ASK_MS);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'whether there is room on a trunk is not known');
      return null;
    }
  }

  /** What cannot be released now is found by the next turns. */
  #release(leaseId: string): void {
    const released = this.#releaseNow(leaseId).catch((error: unknown) => {
      this.#options.logger.debug({ err: error, leaseId }, 'a slot is given back a little later');
    });
    this.#releasing.add(released);
    void released.finally(() => this.#releasing.delete(released));
  }

  async #releaseNow(leaseId: string): Promise<void> {
    await this.#holding;
    this.#call(await this.#options.store.release(leaseId));
  }

  /** One that is not told is called again by a turn. */
  #call(callIds: readonly string[]): void {
    for (const callId of callIds) {
      this.#tell(callId).catch((error: unknown) => {
        this.#options.logger.debug({ err: error, callId }, 'a call that waits is called a little later');
      });
    }
  }

  async #tell(callId: string): Promise<void> {
    const { store, workflows } = this.#options;
    // It was queued by a dial that its workflow did not wait for any more.
    if ((await workflows.signalCapacity(callId)) === 'gone') this.#call(await store.leaveQueue(callId));
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#turn();
      await this.#sleep(TURN_MS, undefined, { signal }).catch(() => undefined); // stopped
    }
  }

  async #turn(): Promise<void> {
    const { boot, store, logger } = this.#options;
    const nowMs = this.#nowMs();
    // This process stood still: what it thinks of others is out of date.
    if (nowMs - this.#lastTurnMs > TURN_MS + NODE_LEASE_MS) this.#watchingSinceMs = null;
    this.#lastTurnMs = nowMs;
    const watching = this.#watchingSinceMs !== null && nowMs - this.#watchingSinceMs > NODE_LEASE_MS;
    this.#spacing.forget();
    for (const [id, { askedMs }] of this.#wanted) if (nowMs - askedMs > WANTED_MS) this.#wanted.delete(id);
    try {
      const held = store.hold(boot, [...this.#held.values()], { watching });
      this.#holding = held.catch(() => undefined);
      const { abandoned, waiting } = await held;
      this.#watchingSinceMs ??= nowMs;
      if (abandoned.length > 0) logger.info({ slots: abandoned.length }, 'slots of what is gone are given back');
      for (const leaseId of abandoned) if (!this.#held.has(leaseId)) await this.#releaseNow(leaseId);
      this.#call(waiting);
    } catch (error) {
      this.#watchingSinceMs = null;
      logger.debug({ err: error }, 'PostgreSQL was not told what slots this node has');
    }
  }
}
