/**
 * What a media node's process is given by this folder: its directory and event sink before it has a call layer, its
 * activity workers and its registration once it has one (`createMediaNodeServices` in `node-services.ts`).
 */
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { DataSource } from 'typeorm';
import type { CallDirectory, CallEvents, MediaControl } from '../../media/control/contract';
import type { Logger } from '../../ops/logger';
import type { SecretBox } from '../../store/secrets';

export interface MediaNodeServicesOptions {
  readonly nodeId: string;
  /** New at every start of the process (UUID). */
  readonly bootId: string;
  /** Folder for the spool of events. */
  readonly dataDir: string;
  readonly dataSource: DataSource;
  /** For LISTEN, which needs a connection of its own. */
  readonly databaseUrl: string;
  readonly secrets: SecretBox;
  /** Fails fast: `createTemporalClient` of `ops/temporal.ts`. */
  readonly client: Client;
  /** Connects the activity workers; called again when a connection is lost for good. */
  readonly connectWorker: () => Promise<NativeConnection>;
  readonly namespace: string;
  readonly logger: Logger;
}

export interface NodeDescription {
  /** `host:port` that peers reach, for `GET /phone/sip/inbound-trunk`. */
  readonly sipAddress: string;
  readonly maxCalls: number;
  /** What the node's providers are: stored in `media_nodes.info`, from which the API answers `GET /phone/voices`. */
  readonly speech?: {
    readonly voices: readonly {
      readonly id: string;
      readonly name: string;
      readonly language: readonly string[];
      readonly gender: string;
      readonly default?: boolean;
    }[];
    /** `AgentRuntime.describe()` */
    readonly providers: Readonly<Record<string, string>>;
  };
}

/**
 * Order of a media node's start: `start()` → call layer with `directory` and `events` → `attach(control)` → SIP sockets
 * opened → `accept(true)`. Of its end: `accept(false)` → calls end → sockets closed → `stop()`.
 */
export interface MediaNodeServices {
  readonly directory: CallDirectory;
  readonly events: CallEvents;
  /** Loads the configuration (waits for PostgreSQL) and begins to empty the spool of an earlier boot. */
  start(): Promise<void>;
  /** Starts the workers of `media:<nodeId>` and sends `nodeStarted`: calls of older boots are lost from here on. */
  attach(control: MediaControl, description: NodeDescription): Promise<void>;
  /** Whether outbound calls are taken from the queue `media`: false while the node drains or is full. Idempotent. */
  accept(accepting: boolean): void;
  /** Orderly end: nothing is left to report or `timeoutMs` has passed; `nodeStopped`; workers and timers are stopped. */
  stop(timeoutMs: number): Promise<void>;
}
