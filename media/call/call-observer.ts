/** What the call layer lets be counted. The node's metrics implement it; nothing here waits or throws. */
import type { CallDirection } from '../../contract/call';
import type { Disposition, EndReason } from '../../contract/endings';
import type { RtpStats } from '../rtp/rtp-session';

interface EndedCallFigures {
  readonly direction: CallDirection;
  readonly disposition: Disposition;
  readonly endReason: EndReason | null;
  readonly timings: Readonly<Record<string, number | null>>;
  readonly stats: RtpStats | null;
}

export interface CallObserver {
  callBegan(direction: CallDirection): void;
  callEnded(call: EndedCallFigures): void;
  /** An INVITE refused before a call existed, or a dial not sent. */
  rejected(reason: string): void;
  turnLatency(ms: number): void;
}
