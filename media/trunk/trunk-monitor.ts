/** The watch over one trunk: its pings, our registration with it, and what both say of its health. */
import type { OutboundTrunkProfile } from '../../contract/directory';
import type { TrunkHealth } from '../../contract/trunk-health';
import type { Semaphore } from '../../ops/semaphore';
import type { Clock } from '../clock';
import { TimerSet } from '../clock';
import type { OutOfDialog } from '../sip/out-of-dialog';
import type { RegisteredLines } from '../sip/registration/registered-lines';
import { Registration } from '../sip/registration/registration';
import { afterPing, combinedHealth, isUnsettled, NOT_PINGED, resumedReach } from './health-state';
import type { PingReach } from './health-state';
import { pingTrunk } from './ping';
import type { PingVerdict } from './ping-verdict';
import type { TrunkObserver } from './trunk-observer';

export interface TrunkMonitorOptions {
  readonly trunk: OutboundTrunkProfile;
  /** What another owner of the trunk, or the same with another configuration, knew of it. */
  readonly before: TrunkHealth | null;
  readonly outOfDialog: OutOfDialog;
  readonly lines: RegisteredLines;
  readonly clock: Clock;
  /** Like Math.random. */
  readonly random: () => number;
  /** For pings at once, of all trunks. */
  readonly places: Semaphore;
  /** Whether there are few enough trunks to give each a socket that hears of ICMP errors. */
  readonly few: () => boolean;
  /** Whether the trunk is still this node's to look after: asked before anything is sent, and before a result counts. */
  readonly mayAct: () => boolean;
  readonly onHealth: (health: TrunkHealth, changed: boolean) => void;
  readonly observer: TrunkObserver;
}

const PING_MS = 30_000;
/** Whoever waits for it to come back is not to wait for long. */
const DOWN_MS = 15_000;
/** While the next ping may change the state. */
const UNSETTLED_MS = 5_000;
/** A Retry-After that asks for more would hide that the trunk is back. */
const MAX_RETRY_AFTER_MS = 300_000;
/** Until it is known again whether the trunk is ours. */
const ASK_AGAIN_MS = 1_000;

export class TrunkMonitor {
  readonly #options: TrunkMonitorOptions;
  readonly #timers: TimerSet<'ping'>;
  readonly #registration: Registration | null;
  /** Null where the trunk is not pinged. */
  #reach: PingReach | null;
  #health: TrunkHealth;
  #stopped = false;

  constructor(options: TrunkMonitorOptions) {
    this.#options = options;
    const { trunk, before, clock } = options;
    this.#timers = new TimerSet(clock);
    this.#reach = trunk.optionsPing ? (before === null ? NOT_PINGED : resumedReach(before)) : null;
    this.#registration = trunk.register
      ? new Registration({ ...options, before: before?.registration ?? null, onChange: () => this.#registered() })
      : null;
    const unknown = {
      state: 'unknown',
      reasons: [],
      sinceMs: clock.epochMs(),
      checkedAtMs: null,
      rttMs: null,
    } as const;
    this.#health = before ?? { ...unknown, registration: null };
  }

  get trunk(): OutboundTrunkProfile {
    return this.#options.trunk;
  }

  get health(): TrunkHealth {
    return this.#health;
  }

  start(delayMs: number): void {
    this.#registration?.start(delayMs);
    if (this.#reach !== null) this.#timers.arm('ping', delayMs, () => void this.#ping());
    this.#tell();
  }

  /** Resolves when nothing of it is under way that the trunk would notice. */
  async stop(how: { readonly unregister: boolean }): Promise<void> {
    this.#stopped = true;
    this.#timers.clearAll();
    await this.#registration?.stop(how);
  }

  async #ping(): Promise<void> {
    const { outOfDialog, trunk, places, few, mayAct, observer } = this.#options;
    if (!mayAct()) {
      this.#again(ASK_AGAIN_MS);
      return;
    }
    await places.acquire();
    let verdict: PingVerdict;
    try {
      if (this.#stopped) return;
      const watched = few() || this.#reach?.state !== 'healthy';
      verdict = await pingTrunk(outOfDialog, trunk, { watched });
    } finally {
      places.release();
    }
    if (this.#stopped) return;
    // What this node missed while it stood still says nothing of the trunk.
    if (mayAct()) {
      observer.pinged(verdict.kind, verdict.rttMs);
      this.#judge(verdict);
    } else this.#again(ASK_AGAIN_MS);
  }

  #judge(verdict: PingVerdict): void {
    const { clock, random } = this.#options;
    const before = this.#reach ?? NOT_PINGED;
    const reach = afterPing(before, verdict);
    this.#reach = reach;
    const { rttMs, retryAfterSeconds } = verdict;
    this.#health = { ...this.#health, checkedAtMs: clock.epochMs(), rttMs: rttMs ?? this.#health.rttMs };
    const usualMs = reach.state === 'down' ? DOWN_MS : PING_MS;
    const pauseMs = (isUnsettled(reach) ? UNSETTLED_MS : usualMs) * (0.9 + random() / 5);
    this.#again(Math.max(pauseMs, Math.min((retryAfterSeconds ?? 0) * 1000, MAX_RETRY_AFTER_MS)));
    if (before.state === 'down' && reach.state !== 'down') this.#registration?.refresh();
    this.#tell();
  }

  #registered(): void {
    const current = this.#registration?.current;
    if (this.#stopped || current === undefined) return;
    this.#options.observer.registered(current.state);
    this.#tell();
  }

  #again(pauseMs: number): void {
    if (!this.#stopped) this.#timers.arm('ping', pauseMs, () => void this.#ping());
  }

  #tell(): void {
    const registration = this.#registration?.current ?? null;
    const { state, reasons } = combinedHealth(this.#reach, registration);
    const changed = state !== this.#health.state;
    const sinceMs = changed ? this.#options.clock.epochMs() : this.#health.sinceMs;
    this.#health = { ...this.#health, state, reasons, sinceMs, registration };
    this.#options.onHealth(this.#health, changed);
  }
}
