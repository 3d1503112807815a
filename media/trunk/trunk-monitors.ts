/** The trunks that this node looks after: thousands of them, spread over time. */
import { isDeepStrictEqual } from 'node:util';

import type { OutboundTrunkProfile } from '../../contract/directory';
import type { TrunkHealth, TrunkHealthState } from '../../contract/trunk-health';
import { Semaphore } from '../../ops/semaphore';
import type { Clock } from '../clock';
import type { SipEndpoint } from '../sip/endpoint';
import { TrunkMonitor } from './trunk-monitor';
import type { TrunkObserver } from './trunk-observer';

/** Who decides which trunks are this node's, and takes note of how they fare. */
export interface TrunkWatchDelegate {
  /** Asked before anything is sent to the trunk, and before what was heard of it counts. */
  mayAct(trunkId: string): boolean;
  /** @param changed the state is another one */
  onHealth(trunkId: string, health: TrunkHealth, changed: boolean): void;
}

export interface TrunkMonitorsOptions {
  readonly endpoint: Pick<SipEndpoint, 'outOfDialog' | 'lines'>;
  readonly clock: Clock;
  readonly delegate: TrunkWatchDelegate;
  readonly observer: TrunkObserver;
  /** Like Math.random. */
  readonly random?: () => number;
}

const PINGS_AT_ONCE = 64;
/** Each has a socket of its own while it is pinged with an ear for ICMP. */
const FEW = 256;
/** Of the first pings. */
const SPACING_MS = 10;
const SPREAD_MS = 30_000;

export class TrunkMonitors {
  readonly #options: TrunkMonitorsOptions;
  readonly #places = new Semaphore(PINGS_AT_ONCE);
  readonly #monitors = new Map<string, TrunkMonitor>();

  constructor(options: TrunkMonitorsOptions) {
    this.#options = options;
  }

  get ids(): readonly string[] {
    return [...this.#monitors.keys()];
  }

  /** How many are in each state. */
  counts(): ReadonlyMap<TrunkHealthState, number> {
    const counts = new Map<TrunkHealthState, number>();
    for (const { health } of this.#monitors.values()) counts.set(health.state, (counts.get(health.state) ?? 0) + 1);
    return counts;
  }

  /** Begins, or goes on where the configuration is another one; else nothing. */
  watch(trunk: OutboundTrunkProfile, before: TrunkHealth | null): void {
    const known = this.#monitors.get(trunk.id);
    if (known !== undefined && isWatchedAlike(known.trunk, trunk)) return;
    const { endpoint, clock, delegate, observer, random = Math.random } = this.#options;
    void known?.stop({ unregister: delegate.mayAct(trunk.id) });
    const monitor = new TrunkMonitor({
      trunk,
      before: known?.health ?? before,
      outOfDialog: endpoint.outOfDialog,
      lines: endpoint.lines,
      clock,
      random,
      places: this.#places,
      few: () => this.#monitors.size <= FEW,
      mayAct: () => delegate.mayAct(trunk.id),
      onHealth: (health, changed) => delegate.onHealth(trunk.id, health, changed),
      observer,
    });
    this.#monitors.set(trunk.id, monitor);
    monitor.start(random() * Math.min(SPREAD_MS, this.#monitors.size * SPACING_MS));
  }

  /** Resolves when nothing is under way that the trunk would notice. */
  async drop(trunkId: string, how: { readonly unregister: boolean }): Promise<void> {
    const monitor = this.#monitors.get(trunkId);
    this.#monitors.delete(trunkId);
    await monitor?.stop(how);
  }
}

const WATCHED = ['host', 'port', 'transport', 'username', 'password', 'register', 'optionsPing'] as const;

function isWatchedAlike(one: OutboundTrunkProfile, other: OutboundTrunkProfile): boolean {
  return WATCHED.every((name) => one[name] === other[name]) && isDeepStrictEqual(one.gateways, other.gateways);
}
