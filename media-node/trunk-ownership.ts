/**
 * Which trunks this node looks after: an even share of all, each by one node at a time. Every 3 s it asks PostgreSQL, which
 * gives it what nobody has. Its signs of life are its leases (`TrunkHealthRepository.take`): a boot that is lost, or silent
 * for 15 s, has none. While PostgreSQL is away nobody can take anything from anybody, and every owner stays what it was.
 */
import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import { TRUNK_LEASE_MS } from '../contract/nodes';
import type { NodeBoot } from '../contract/nodes';
import type { TrunkHealth } from '../contract/trunk-health';
import type { TrunkMonitors, TrunkWatchDelegate } from '../media';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import type { Sleep } from '../ops/retry';
import { isDatabaseUnavailable } from '../store/errors';
import type { TrunkHealthRepository } from '../store/repositories/trunk-health-repository';
import type { ConfigSnapshot } from './config-snapshot';
import type { TrunkReports } from './trunk-reports';
import type { TrunkSignaller } from './trunk-signaller';

export interface TrunkOwnershipOptions {
  readonly boot: NodeBoot;
  readonly store: Pick<TrunkHealthRepository, 'take' | 'release'>;
  readonly snapshot: Pick<ConfigSnapshot, 'outboundTrunk'>;
  /** Brings the snapshot up to date. */
  readonly refreshConfig: () => Promise<void>;
  /** False while this node may have been given up, and for a moment after it stood still. */
  readonly isSteady: () => boolean;
  readonly monitors: (delegate: TrunkWatchDelegate) => TrunkMonitors;
  readonly reports: TrunkReports;
  readonly signaller: Pick<TrunkSignaller, 'tell' | 'forget' | 'close'>;
  readonly logger: Logger;
  /** Monotonic; for tests, as the next one. */
  readonly nowMs?: () => number;
  readonly sleep?: Sleep;
}

const TURN_MS = 3_000;
/** Trunks that are handed over in one turn. */
const MAX_HANDED_OVER = 20;
/** Carriers that do not answer do not keep a node from stopping. */
const LEAVE_MS = 3_000;

export class TrunkOwnership implements TrunkWatchDelegate {
  readonly #options: TrunkOwnershipOptions;
  readonly #monitors: TrunkMonitors;
  /** With what was known of each when it was taken. */
  readonly #owned = new Map<string, TrunkHealth | null>();
  /** On their way to somebody else. */
  readonly #leaving = new Set<string>();
  readonly #closing = new AbortController();
  readonly #nowMs: () => number;
  /** Monotonic, as the next one: no other node has taken anything before that. */
  #validUntilMs = -Infinity;
  /** When PostgreSQL was last found to be away. */
  #awayAtMs = -Infinity;
  #loop: Promise<void> | null = null;

  constructor(options: TrunkOwnershipOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.#monitors = options.monitors(this);
  }

  start(): void {
    this.#options.reports.start();
    this.#loop = this.#run();
  }

  mayAct(trunkId: string): boolean {
    if (!this.#options.isSteady() || !this.#owned.has(trunkId)) return false;
    const nowMs = this.#nowMs();
    return nowMs < this.#validUntilMs || nowMs - this.#awayAtMs < TRUNK_LEASE_MS;
  }

  onHealth(trunkId: string, health: TrunkHealth, changed: boolean): void {
    const { reports, signaller, logger } = this.#options;
    // It is kept as the last that is known of the trunk, should it be watched anew.
    if (this.#owned.has(trunkId)) this.#owned.set(trunkId, health);
    reports.add(trunkId, health);
    if (!changed) return;
    const { state, reasons } = health;
    logger.info({ trunkId, state, reasons }, 'health of a trunk has changed');
    signaller.tell(trunkId, health);
  }

  /** Its workflow knows of the change that happened then. */
  told(trunkId: string, sinceMs: number): void {
    const health = this.#owned.get(trunkId);
    if (health != null) this.#options.reports.told(trunkId, sinceMs, health);
  }

  /** After each change of the configuration: watches what is this node's as it is now. */
  sync(): void {
    if (this.#closing.signal.aborted) return;
    for (const [trunkId, before] of this.#owned) {
      if (this.#leaving.has(trunkId)) continue;
      const trunk = this.#options.snapshot.outboundTrunk(trunkId);
      if (trunk !== undefined) this.#monitors.watch(trunk, before);
      // Deleted, or of an organisation that is suspended: the carrier need not call us any more.
      else void this.#leave(trunkId);
    }
  }

  /** Takes our registrations back and leaves all trunks to the others; the sockets are still open. */
  async stop(): Promise<void> {
    const { boot, store, reports, signaller, logger } = this.#options;
    this.#closing.abort();
    await this.#loop;
    const trunkIds = [...this.#owned.keys()];
    const dropped = Promise.all(this.#monitors.ids.map((trunkId) => this.#leave(trunkId)));
    await withDeadline(dropped, LEAVE_MS).catch(() => undefined); // their registrations run out
    await reports.stop();
    signaller.close();
    this.#owned.clear();
    await store.release(boot, trunkIds).catch((error: unknown) => {
      logger.warn({ err: error }, 'trunks are left to the others when this node is found to be gone');
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { sleep = sleepOnTimer } = this.#options;
    while (!signal.aborted) {
      await this.#turn();
      await sleep(TURN_MS, undefined, { signal }).catch(() => undefined); // stopped
    }
  }

  async #turn(): Promise<void> {
    const { boot, store, logger } = this.#options;
    try {
      const askedAtMs = this.#nowMs();
      const { seenMsAgo, share, kept, taken } = await store.take(boot);
      this.#awayAtMs = -Infinity;
      this.#validUntilMs = seenMsAgo === null ? -Infinity : askedAtMs + TRUNK_LEASE_MS - seenMsAgo;
      await this.#lose(new Set([...kept, ...taken.map(({ trunkId }) => trunkId)]));
      for (const trunkId of kept) if (!this.#owned.has(trunkId)) this.#owned.set(trunkId, null);
      for (const { trunkId, health, told } of taken) {
        this.#owned.set(trunkId, health);
        // The node before it has seen the change, and did not come to tell of it.
        if (!told && health.state !== 'unknown') this.#options.signaller.tell(trunkId, health);
      }
      if (taken.length > 0) logger.info({ trunks: taken.length, share }, 'this node looks after more trunks');
      this.sync();
      this.#shed(share);
    } catch (error) {
      if (isDatabaseUnavailable(error)) this.#awayAtMs = this.#nowMs();
      else logger.error({ err: error }, 'this node does not know which trunks are its');
    }
  }

  /** Others look after what is no more among `held`; nothing is said to those trunks any more. */
  async #lose(held: ReadonlySet<string>): Promise<void> {
    const gone = [...this.#owned.keys()].filter((trunkId) => !held.has(trunkId));
    if (gone.length === 0) return;
    // Those that were deleted are taken leave of by `sync`.
    await this.#options.refreshConfig();
    for (const trunkId of gone) this.#forget(trunkId);
    await Promise.all(gone.map((trunkId) => this.#monitors.drop(trunkId, { unregister: false })));
  }

  /** Whoever may have lost the trunk takes nothing back: by the same Contact it would be the next owner's registration. */
  #leave(trunkId: string): Promise<void> {
    return this.#monitors.drop(trunkId, { unregister: this.mayAct(trunkId) });
  }

  #forget(trunkId: string): void {
    const { reports, signaller } = this.#options;
    this.#owned.delete(trunkId);
    this.#leaving.delete(trunkId);
    reports.forget(trunkId);
    signaller.forget(trunkId);
  }

  /** A node that came later gets its share. */
  #shed(share: number): void {
    const surplus = Math.min(this.#owned.size - share, MAX_HANDED_OVER) - this.#leaving.size;
    if (surplus <= 0) return;
    const staying = [...this.#owned.keys()].filter((trunkId) => !this.#leaving.has(trunkId));
    void this.#handOver(staying.slice(-surplus));
  }

  /** First the registration is taken back, then the trunk let go: by then the next owner may register by the same Contact. */
  async #handOver(trunkIds: readonly string[]): Promise<void> {
    const { boot, store, reports, logger } = this.#options;
    for (const trunkId of trunkIds) this.#leaving.add(trunkId);
    try {
      await Promise.all(trunkIds.map((trunkId) => this.#leave(trunkId)));
      await reports.flush();
      await store.release(boot, trunkIds);
      for (const trunkId of trunkIds) this.#forget(trunkId);
      logger.info({ trunks: trunkIds.length }, 'trunks are left to another node');
    } catch (error) {
      logger.warn({ err: error }, 'trunks could not be left to another node');
      // The next turn watches them again.
      for (const trunkId of trunkIds) this.#leaving.delete(trunkId);
    }
  }
}
