import type { Clock } from '../clock';
import type { SipCounters } from './counters';
import type { RoutedDialog } from './dialog-table';
import type { SipEdge } from './edge/edge';
import type { TargetResolver } from './edge/resolver';
import type { SipLogger } from './logger';
import type { OwnAddresses } from './own-address';
import type { SessionTimerPolicy } from './session-expires';

/** What a dialog needs of its endpoint. */
export interface DialogContext {
  readonly edge: SipEdge;
  readonly ownAddresses: OwnAddresses;
  readonly clock: Clock;
  readonly counters: SipCounters;
  readonly logger: SipLogger;
  readonly resolve: TargetResolver;
  readonly allowPrivateTargets: boolean;
  readonly sessionTimers: SessionTimerPolicy;
  readonly product: string;
  /** Extensions that a peer may use in our dialogs. */
  readonly supported: readonly string[];
  /** All that is left of it is what `by` does, for that long. */
  readonly onEnded: (dialog: RoutedDialog, by: RoutedDialog, lastsMs: number) => void;
  /** The dialog may be forgotten. */
  readonly onIdle: (dialog: RoutedDialog) => void;
}
