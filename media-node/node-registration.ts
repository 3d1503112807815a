import type { MediaControl } from '../contract/commands';
import type { NodeBoot } from '../contract/nodes';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { Sleep } from '../ops/retry';
import type { MediaNodeRepository } from '../store/repositories/media-node-repository';
import type { NodeCallListRepository } from '../store/repositories/node-call-list-repository';
import type { NodeWorkflows } from '../workflows/client/node-workflows';
import type { NodeLifetime } from './node-lifetime';
import type { WriteHealth } from './write-health';

const BEAT_MS = 1_000;
const RETRY_MS = 500;
/** Heartbeats of the watching activity are missing for this long: the node's workflow may have given this boot up. */
const UNWATCHED_MS = 15_000;

export interface NodeDescription {
  /** What phone systems are pointed at, see `advertisedSipAddress`: the API shows it with the inbound trunk. */
  readonly sipAddress: string;
  readonly maxCalls: () => number;
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

export interface NodeRegistrationOptions {
  readonly control: Pick<MediaControl, 'nodeId' | 'bootId' | 'listCalls'>;
  readonly description: NodeDescription;
  readonly nodes: Pick<MediaNodeRepository, 'seen' | 'find' | 'stopped'>;
  readonly configVersion: () => number;
  /** Writes it to the row of this boot at once. What gets lost is made good by the next beat. */
  readonly tellConfigured: (boot: NodeBoot, version: number) => void;
  readonly lists: Pick<NodeCallListRepository, 'tell'>;
  readonly temporal: Pick<NodeWorkflows, 'nodeStarted' | 'nodeStopped' | 'bootStanding'>;
  readonly lifetime: NodeLifetime;
  /** What takes no writes is told to the API, whose `/ready` names it. */
  readonly writes: Pick<WriteHealth, 'failing'>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/**
 * The node's signs of life: `nodeStarted` to its workflow, `last_seen` in PostgreSQL every second. Their answers tell it
 * whether it may go on.
 */
export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  readonly #startedAtMs = Date.now();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> | null = null;
  #announcing = false;
  #storeAway = false;
  /** The node's row is, or was, this boot's. */
  #registered = false;
  #strangerSeen = false;
  #answeredSurvey: string | null = null;

  constructor(options: NodeRegistrationOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the workflow knows of this boot: from here on calls of older boots are lost. Waits for Temporal, and
   * rejects when the node ends before.
   */
  async start(): Promise<void> {
    const { lifetime, sleep } = this.#options;
    lifetime.standing.tick();
    // First the row, so that nobody takes this boot for an older one.
    await this.#beat();
    this.#timer = setInterval(() => this.#tick(), BEAT_MS);
    await retry(() => this.#announce(), {
      pauseMs: RETRY_MS,
      signal: this.#closing.signal,
      onFailure: (error) => this.#warnUnknown(error),
      ...(sleep === undefined ? {} : { sleep }),
    });
    lifetime.watched();
  }

  /** Those who have changed the configuration wait for it. */
  configured(version: number): void {
    if (this.#registered) this.#options.tellConfigured(this.#options.control, version);
  }

  /** Orderly end. What cannot be said now is found out by the node's workflow. */
  async stop(): Promise<void> {
    await this.abandon();
    const { control, nodes, temporal, logger } = this.#options;
    const { nodeId, bootId } = control;
    await Promise.all([
      temporal.nodeStopped(nodeId, bootId).catch((error: unknown) => {
        logger.warn({ err: error }, 'Temporal was not told that this node stops');
      }),
      nodes.stopped(nodeId, bootId).catch((error: unknown) => {
        logger.warn({ err: error }, 'PostgreSQL was not told that this node stops');
      }),
    ]);
  }

  /** No further signs of life; the boot is found lost, so that calls whose end was not told end too. */
  async abandon(): Promise<void> {
    this.#closing.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#beating;
  }

  #tick(): void {
    const { standing } = this.#options.lifetime;
    standing.tick();
    // What is under way may have been answered before the node stood still: one in doubt asks once more.
    if (this.#beating !== null && standing.current === 'good') return;
    const beating = this.#beat().finally(() => {
      if (this.#beating === beating) this.#beating = null;
    });
    this.#beating = beating;
  }

  async #beat(): Promise<void> {
    const { control, description, nodes, lifetime, writes, logger } = this.#options;
    const { standing } = lifetime;
    if (standing.current === 'lost') return;
    if (lifetime.unwatchedMs > UNWATCHED_MS && !this.#announcing && !this.#strangerSeen && this.#timer !== null) {
      lifetime.watched();
      void this.#announce().catch((error: unknown) => this.#warnUnknown(error));
    }
    const confirm = standing.ask();
    try {
      const seen = await nodes.seen({
        nodeId: control.nodeId,
        bootId: control.bootId,
        startedAtMs: this.#startedAtMs,
        sipAddress: description.sipAddress,
        calls: control.listCalls().length,
        configVersion: this.#options.configVersion(),
        info: { max_calls: description.maxCalls(), refuses_writes: writes.failing, ...description.speech },
        begins: !this.#registered,
      });
      this.#storeAway = false;
      if (seen !== null) {
        this.#registered = true;
        confirm();
        await this.#answerSurvey(seen.surveyId);
      } else if (this.#registered || (await nodes.find(control.nodeId))?.bootId === control.bootId) {
        standing.lose();
      } else if (!this.#strangerSeen) {
        logger.error({ nodeId: control.nodeId }, 'another process runs under this node id');
      }
      // To announce this boot would end the calls of that one.
      this.#strangerSeen = seen === null;
    } catch (error) {
      if (!this.#storeAway) logger.warn({ err: error }, 'PostgreSQL does not see this node');
      this.#storeAway = true;
      if (standing.current === 'doubtful') await this.#askWorkflow(confirm);
    }
  }

  /** What calls this boot has, each time somebody else asks for it. */
  async #answerSurvey(surveyId: string | null): Promise<void> {
    if (surveyId === null || surveyId === this.#answeredSurvey) return;
    const { control, lists } = this.#options;
    const { nodeId, bootId } = control;
    await lists.tell(surveyId, { nodeId, bootId, calls: control.listCalls() });
    this.#answeredSurvey = surveyId;
  }

  /** While PostgreSQL is away nobody is declared lost; who was before is known to the node's workflow, too. */
  async #askWorkflow(confirm: () => void): Promise<void> {
    const { control, temporal, lifetime } = this.#options;
    const standing = await temporal.bootStanding(control.nodeId, control.bootId).catch(() => 'unknown' as const);
    if (standing === 'lost') lifetime.standing.lose();
    else if (standing === 'watched') confirm();
  }

  async #announce(): Promise<void> {
    const { control, temporal } = this.#options;
    this.#announcing = true;
    try {
      await temporal.nodeStarted(control.nodeId, control.bootId);
    } finally {
      this.#announcing = false;
    }
  }

  #warnUnknown(error: unknown): void {
    this.#options.logger.warn({ err: error }, 'Temporal does not know of this node yet');
  }
}
