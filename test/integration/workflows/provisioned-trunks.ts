/** Trunks as the API's transactions leave them, in an environment's database, and a media node that is said to live. */
import type { ConfigTransaction } from '../../../store/config-transaction';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import type { TrunkChange } from '../../../workflows/client/trunk-workflows';
import type { WorkflowEnvironment } from './environment';

export class ProvisionedTrunks {
  readonly inbound: InboundTrunkRepository;
  readonly outbound: OutboundTrunkRepository;
  readonly #env: WorkflowEnvironment;
  readonly #config: ConfigRepository;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(env: WorkflowEnvironment) {
    this.#env = env;
    this.#config = new ConfigRepository(env.dataSource);
    this.inbound = new InboundTrunkRepository(env.dataSource, env.secrets);
    this.outbound = new OutboundTrunkRepository(env.dataSource, env.secrets);
  }

  async newOrg(): Promise<string> {
    return (await new OrganisationRepository(this.#env.dataSource).create({ name: 'Test' })).id;
  }

  /** Nobody is told of it. Answers the version. */
  async change(work: (tx: ConfigTransaction) => Promise<unknown>): Promise<number> {
    const tx = await this.#config.transaction(async (made) => {
      await work(made);
      return made;
    });
    return tx.version ?? 0;
  }

  async createInbound(orgId: string): Promise<TrunkChange> {
    let trunkId = '';
    const version = await this.change(async (tx) => {
      ({ id: trunkId } = await this.inbound.create(tx, orgId, { phoneNumbers: [] }));
    });
    return { orgId, trunkId, direction: 'inbound', version, removed: false };
  }

  /** Lives until `stop`, and acts on this version of the configuration. */
  async node(nodeId: string, configVersion: number): Promise<void> {
    const nodes = new MediaNodeRepository(this.#env.dataSource);
    const sighting = { nodeId, bootId: `${nodeId}-boot`, startedAtMs: 0, sipAddress: null, calls: 0 };
    await nodes.seen({ ...sighting, configVersion, begins: true });
    const timer = setInterval(() => {
      void this.#env.dataSource
        .query('UPDATE media_nodes SET last_seen = clock_timestamp() WHERE node_id = $1', [nodeId])
        .catch(() => undefined); // the database goes before the timer does
    }, 1_000);
    this.#timers.add(timer);
  }

  /** The node acts on this version from now on. */
  async configured(nodeId: string, version: number): Promise<void> {
    await new MediaNodeRepository(this.#env.dataSource).configured({ nodeId, bootId: `${nodeId}-boot` }, version);
  }

  /** The row of the trunk's way to the nodes; null when nothing is left of it. */
  async row(trunkId: string): Promise<{ version: number; confirmed: number; removed: boolean } | null> {
    const rows: { version: string; confirmed: string; removed: boolean }[] = await this.#env.dataSource.query(
      'SELECT version, confirmed_version AS confirmed, removed FROM trunk_provisioning WHERE trunk_id = $1',
      [trunkId],
    );
    const [row] = rows;
    return row === undefined ? null : { ...row, version: Number(row.version), confirmed: Number(row.confirmed) };
  }

  /** What was not told is due now. */
  async passTime(): Promise<void> {
    await this.#env.dataSource.query(`UPDATE trunk_provisioning SET due_at = clock_timestamp()`);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
