/**
 * Gateways that have answered 503 and are left in peace for a while, each by its own word: for as long as its Retry-After says
 * (RFC 3261 §21.5.4), else for a moment that doubles until it has served a call again. As long as another gateway of the trunk
 * is not, calls go by that one; when all rest, the trunk does, for every node.
 */
import type { OutboundTrunkProfile } from '../../contract/directory';
import type { Clock } from '../clock';
import type { SipHost } from '../sip/invite';
import type { TrunkCapacity } from './trunk-capacity';

const UNAVAILABLE = 503;
/** Of these a Retry-After counts; without one a 500 or 502 is a refusal like others. */
const CONGESTED: readonly number[] = [500, 502, UNAVAILABLE];
/** So short that a single 503, which may be one call's own, costs a fast trunk next to nothing. */
const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 60_000;
/** No carrier stops a gateway for longer with one answer. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/** Of a final answer; or a provisional one from 180 on. */
export interface GatewayAnswer {
  readonly status: number;
  readonly retryAfterSeconds: number | null;
}

type GatewaysOfTrunk = Pick<OutboundTrunkProfile, 'id' | 'host' | 'port' | 'transport' | 'gateways'>;

interface Rest {
  untilMs: number;
  /** In a row, without a call that was served. */
  times: number;
}

export class GatewayRests {
  readonly #now: Clock['now'];
  readonly #capacity: Pick<TrunkCapacity, 'congested'>;
  readonly #rests = new Map<string, Rest>();

  constructor(clock: Pick<Clock, 'now'>, capacity: Pick<TrunkCapacity, 'congested'>) {
    this.#now = () => clock.now();
    this.#capacity = capacity;
  }

  /** In their order those that do not rest; all of them when all do: whoever has a turn by then is not kept from trying. */
  awake<Host extends SipHost>({ id }: Pick<GatewaysOfTrunk, 'id'>, hosts: readonly Host[]): readonly Host[] {
    if (this.#rests.size === 0) return hosts;
    const awake = hosts.filter((host) => this.#restMs(id, host) <= 0);
    return awake.length === 0 ? hosts : awake;
  }

  answered(trunk: GatewaysOfTrunk, host: SipHost, { status, retryAfterSeconds }: GatewayAnswer): void {
    const key = keyOf(trunk.id, host);
    const congested = CONGESTED.includes(status);
    if (!congested) {
      if (status < 500 || status >= 600) this.#rests.delete(key);
      return;
    }
    if (retryAfterSeconds === null && status !== UNAVAILABLE) return;
    const rest = this.#rests.get(key) ?? { untilMs: -Infinity, times: 0 };
    const nowMs = this.#now();
    const beforeMs = rest.untilMs;
    if (retryAfterSeconds !== null) {
      rest.untilMs = Math.max(rest.untilMs, nowMs + Math.min(retryAfterSeconds * 1000, LONGEST_RETRY_AFTER_MS));
    } else if (rest.untilMs <= nowMs) {
      // What was under way when it began to rest says nothing new.
      rest.untilMs = nowMs + Math.min(FIRST_REST_MS * 2 ** rest.times, LONGEST_REST_MS);
      rest.times += 1;
    }
    // Told once: every dial asks for the row in which it is noted.
    if (rest.untilMs === beforeMs) return;
    this.#rests.set(key, rest);
    const { gateways = [] } = trunk;
    const restMs = Math.min(...(gateways.length === 0 ? [trunk] : gateways).map((one) => this.#restMs(trunk.id, one)));
    if (restMs > 0) this.#capacity.congested(trunk.id, restMs);
  }

  #restMs(trunkId: string, host: SipHost): number {
    return (this.#rests.get(keyOf(trunkId, host))?.untilMs ?? -Infinity) - this.#now();
  }
}

const keyOf = (trunkId: string, { host, port, transport }: SipHost): string =>
  `${trunkId} ${host}:${port ?? ''}/${transport ?? ''}`;
