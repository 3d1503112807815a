/** Random changes of a configuration, through the store's own repositories. */
import type { DataSource, EntityTarget } from 'typeorm';
import type { ConfigTransaction } from '../../store/config-transaction';
import { AgentTransferDestination } from '../../store/entities/agent-transfer-destination';
import { Agent } from '../../store/entities/agent';
import { InboundTrunk } from '../../store/entities/inbound-trunk';
import { OutboundTrunk } from '../../store/entities/outbound-trunk';
import { PhoneNumber } from '../../store/entities/phone-number';
import { TransferDestination } from '../../store/entities/transfer-destination';
import { StoreError } from '../../store/errors';
import { uuidV7 } from '../../store/ids';
import { AgentRepository } from '../../store/repositories/agent-repository';
import { ConfigRepository } from '../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../store/repositories/inbound-trunk-repository';
import { OrganisationRepository } from '../../store/repositories/organisation-repository';
import { OutboundTrunkRepository } from '../../store/repositories/outbound-trunk-repository';
import { PhoneNumberRepository } from '../../store/repositories/phone-number-repository';
import { TransferDestinationRepository } from '../../store/repositories/transfer-destination-repository';
import type { SecretBox } from '../../store/secrets';
import type { ConfigUniverse } from './config-view';
import { seededRandom } from './seeded-random';

/** Few of each, so that they meet again and again. */
const NUMBERS = ['+12025550101', '+12025550102', '+442071838750', '+79161234567', '+4930901820'];
const NETWORKS = ['192.0.2.7/32', '192.0.2.0/24', '198.51.100.0/25', '2001:db8::/48'];
const ADDRESSES = ['192.0.2.7', '192.0.2.8', '198.51.100.5', '2001:db8::1'];
const CARRIER = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+12025550199' };
const ROLLED_BACK = 'never happened';

/** There was nothing that it could change. */
const SKIPPED = Symbol('skipped');

type Change = (tx: ConfigTransaction, orgId: string) => Promise<unknown>;

export class RandomConfig {
  /** Of changes. */
  static readonly KINDS = 23;
  readonly config: ConfigRepository;
  readonly #random: () => number;
  readonly #agents: AgentRepository;
  readonly #inbound: InboundTrunkRepository;
  readonly #outbound: OutboundTrunkRepository;
  readonly #numbers: PhoneNumberRepository;
  readonly #destinations: TransferDestinationRepository;
  readonly #organisations: OrganisationRepository;
  readonly #orgIds: string[] = [];
  readonly #usernames = new Set<string>();
  /** By kind, those that were ever made. */
  readonly #ids = { agent: [] as string[], carrier: [] as string[] };
  /** How often each change was done. */
  readonly done: Record<string, number> = {};

  constructor({ dataSource, secrets }: { dataSource: DataSource; secrets: SecretBox }, seed: number) {
    this.#random = seededRandom(seed);
    this.config = new ConfigRepository(dataSource);
    this.#agents = new AgentRepository(dataSource);
    this.#inbound = new InboundTrunkRepository(dataSource, secrets);
    this.#outbound = new OutboundTrunkRepository(dataSource, secrets);
    this.#numbers = new PhoneNumberRepository(dataSource);
    this.#destinations = new TransferDestinationRepository(dataSource, secrets);
    this.#organisations = new OrganisationRepository(dataSource);
  }

  /** One of `n`. */
  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  async newOrganisation(): Promise<void> {
    this.#orgIds.push((await this.#organisations.create({ name: 'Changing' })).id);
  }

  /** One to three changes in one transaction; one in ten is undone. What the store refuses undoes all of them. */
  async step(): Promise<void> {
    const orgId = this.#one(this.#orgIds);
    const changes = Array.from({ length: 1 + this.below(3) }, () => this.#one(Object.entries(this.#changes)));
    const undone = this.below(10) === 0;
    try {
      const made = await this.config.transaction(async (tx) => {
        const results: unknown[] = [];
        for (const [, change] of changes) results.push(await change(tx, orgId));
        if (undone) throw new Error(ROLLED_BACK);
        return changes.filter((_, n) => results[n] !== SKIPPED);
      });
      for (const [name] of made) this.done[name] = (this.done[name] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof StoreError) && (error as Error).message !== ROLLED_BACK) throw error;
    }
  }

  /** What can be asked for. */
  get universe(): ConfigUniverse {
    return {
      agentIds: this.#ids.agent,
      carrierIds: this.#ids.carrier,
      usernames: [...this.#usernames],
      orgIds: this.#orgIds,
      numbers: NUMBERS,
      addresses: ADDRESSES,
    };
  }

  readonly #changes: Readonly<Record<string, Change>> = {
    createAgent: async (tx, orgId) => {
      // Now and then one comes back under the id of one that is gone.
      const id = this.below(4) === 0 ? this.#one(this.#ids.agent) : uuidV7();
      if (await tx.manager.existsBy(Agent, { id })) return SKIPPED;
      this.#ids.agent.push(id);
      return this.#agents.create(tx, orgId, { id, name: 'New', type: this.below(3) === 0 ? 'outbound' : 'inbound' });
    },
    renameAgent: (tx, orgId) =>
      this.#toOne(tx, orgId, Agent, (id) => this.#agents.update(tx, orgId, id, { name: this.#word() })),
    handOff: (tx, orgId) =>
      this.#toOne(tx, orgId, Agent, (id) =>
        this.#agents.update(tx, orgId, id, { handoffPhoneNumber: this.below(2) === 0 ? null : this.#one(NUMBERS) }),
      ),
    fallBack: (tx, orgId) =>
      this.#toOne(tx, orgId, TransferDestination, (failoverTransferDestinationId) =>
        this.#toOne(tx, orgId, Agent, (id) => this.#agents.update(tx, orgId, id, { failoverTransferDestinationId })),
      ),
    deleteAgent: (tx, orgId) => this.#toOne(tx, orgId, Agent, (id) => this.#agents.delete(tx, orgId, id)),
    verifyNumber: (tx, orgId) => this.#numbers.attest(tx, orgId, [this.#one(NUMBERS)]),
    awaitNumber: async (tx, orgId) => {
      const codeExpiresAt = new Date(Date.now() + 600_000);
      const number = {
        phoneNumber: this.#one(NUMBERS),
        status: 'pending',
        method: 'inbound_call',
        codeExpiresAt,
      } as const;
      return this.#numbers.create(tx, orgId, number);
    },
    assignNumber: (tx, orgId) =>
      this.#toOne(tx, orgId, Agent, async (agentId) => {
        const verified = await this.#numbers.verified(tx, orgId);
        const ids = verified.filter(({ agentId: has }) => has === null || has === agentId).map(({ id }) => id);
        return this.#numbers.assignToAgent(tx, orgId, agentId, ids.slice(0, this.below(3)));
      }),
    deleteNumber: (tx, orgId) => this.#toOne(tx, orgId, PhoneNumber, (id) => this.#numbers.delete(tx, orgId, id)),
    createTrunk: async (tx, orgId) => {
      if ((await this.#inbound.find(orgId, tx.manager)) !== null) return SKIPPED;
      const trunk = await this.#inbound.create(tx, orgId, { phoneNumbers: await this.#verified(tx, orgId) });
      this.#usernames.add(trunk.authUsername);
      return trunk;
    },
    letInByAddress: (tx, orgId) =>
      this.#toOne(tx, orgId, InboundTrunk, () =>
        this.#inbound.update(tx, orgId, {
          auth: this.below(3) === 0 ? 'digest' : 'ip',
          ipAllowlist: [this.#one(NETWORKS)],
        }),
      ),
    rotate: (tx, orgId) =>
      this.#toOne(tx, orgId, InboundTrunk, () => this.#inbound.rotatePassword(tx, orgId, this.below(2) * 60)),
    listNumbers: (tx, orgId) =>
      this.#toOne(tx, orgId, InboundTrunk, async () => {
        const verified = await this.#verified(tx, orgId);
        return this.#inbound.changeNumbers(tx, orgId, () => verified.filter(() => this.below(2) === 0));
      }),
    deleteTrunk: (tx, orgId) => this.#toOne(tx, orgId, InboundTrunk, () => this.#inbound.delete(tx, orgId)),
    createCarrier: async (tx, orgId) => {
      this.#ids.carrier.push((await this.#outbound.create(tx, orgId, CARRIER)).id);
    },
    moveCarrier: (tx, orgId) =>
      this.#toOne(tx, orgId, OutboundTrunk, (id) =>
        this.#outbound.update(tx, orgId, id, {
          host: `${this.#word()}.example`,
          headers: { 'X-Word': this.#word() },
          maxConcurrentCalls: this.below(2) === 0 ? null : this.below(50),
        }),
      ),
    deleteCarrier: (tx, orgId) => this.#toOne(tx, orgId, OutboundTrunk, (id) => this.#outbound.delete(tx, orgId, id)),
    createDestination: (tx, orgId) =>
      this.#destinations.create(tx, orgId, { name: this.#word(), type: 'phone', value: this.#one(NUMBERS) }),
    renameDestination: (tx, orgId) =>
      this.#toOne(tx, orgId, TransferDestination, (id) =>
        this.#destinations.update(tx, orgId, id, { name: this.#word() }),
      ),
    deleteDestination: (tx, orgId) =>
      this.#toOne(tx, orgId, TransferDestination, (id) => this.#destinations.delete(tx, orgId, id)),
    assignDestination: (tx, orgId) =>
      this.#toOne(tx, orgId, TransferDestination, (destinationId) =>
        this.#toOne(tx, orgId, Agent, (agentId) =>
          this.#destinations.assign(
            tx,
            orgId,
            agentId,
            destinationId,
            this.below(2) === 0 ? null : String(this.below(10)),
          ),
        ),
      ),
    unassignDestination: async (tx, orgId) => {
      const rows = await tx.manager.findBy(AgentTransferDestination, { orgId });
      const row = rows[this.below(rows.length)];
      return row === undefined ? SKIPPED : this.#destinations.unassign(tx, orgId, row.agentId, row.destinationId);
    },
    suspend: (tx, orgId) => this.#organisations.update(tx, orgId, { suspended: this.below(3) === 0 }),
  };

  /** What is done to one that the organisation has. */
  async #toOne(
    tx: ConfigTransaction,
    orgId: string,
    entity: EntityTarget<{ readonly id: string; readonly orgId: string }>,
    change: (id: string) => Promise<unknown>,
  ): Promise<unknown> {
    const rows = await tx.manager.find(entity, { where: { orgId }, order: { id: 'ASC' } });
    const row = rows[this.below(rows.length)];
    return row === undefined ? SKIPPED : change(row.id);
  }

  async #verified(tx: ConfigTransaction, orgId: string): Promise<string[]> {
    return (await this.#numbers.verified(tx, orgId)).map(({ phoneNumber }) => phoneNumber);
  }

  #word(): string {
    return this.#random().toString(36).slice(2, 8);
  }

  /** An id that nothing has, where there is none yet. */
  #one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] ?? (uuidV7() as T);
  }
}
