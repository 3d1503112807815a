/** What the configuration's thread and the node's main thread tell each other. */
import type { NodeBoot } from '../contract/nodes';
import type { ConfigDelta } from '../store/config-changes';

/** `workerData` of the thread. */
export interface ConfigThreadOptions {
  /** Of a connection of its own, which listens. */
  readonly databaseUrl: string;
  readonly openingKeys: ReadonlyMap<string, Uint8Array>;
  /** What the main thread holds already; 0: nothing. */
  readonly version: number;
  /** The last one that the main thread has made; see `look`. */
  readonly request: number;
  /** Between two looks that nothing asks for, in ms. */
  readonly checkMs: number;
}

export type ToConfigThread =
  /** Look now. `request` counts up. */
  | { readonly type: 'look'; readonly request: number }
  /** The node acts on this version: those who have changed something wait for it. */
  | { readonly type: 'acting'; readonly boot: NodeBoot; readonly version: number }
  | { readonly type: 'stop' };

/** How one look ended. */
export interface ConfigLook {
  /** The last request that was made before it began. */
  readonly request: number;
  /** Null when nothing has changed, and when PostgreSQL could not be asked. */
  readonly delta: ConfigDelta | null;
  /** Why PostgreSQL could not be asked. */
  readonly failure: Error | null;
}
