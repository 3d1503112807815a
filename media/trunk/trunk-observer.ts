/** What the watch over trunks lets be counted. The node's metrics implement it; nothing here waits or throws. */
import type { TrunkRegistration } from '../../contract/trunk-health';
import type { PingVerdict } from './ping-verdict';

export interface TrunkObserver {
  /** @param rttMs null where nobody answered */
  pinged(verdict: PingVerdict['kind'], rttMs: number | null): void;
  /** A REGISTER had its answer, or none. */
  registered(state: TrunkRegistration['state']): void;
}
