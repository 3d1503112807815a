import type { DataSource, EntityManager } from 'typeorm';
import { Organisation } from '../entities/organisation';
import { uuidV7 } from '../ids';

export class OrganisationRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async create(input: { readonly id?: string; readonly name: string }, manager?: EntityManager): Promise<Organisation> {
    const id = input.id ?? uuidV7();
    const target = manager ?? this.#dataSource.manager;
    await target.insert(Organisation, { id, name: input.name });
    return target.findOneByOrFail(Organisation, { id });
  }

  /** A server with exactly one organisation trusts it more: numbers in a trunk's body verify themselves. */
  async count(manager: EntityManager = this.#dataSource.manager): Promise<number> {
    return manager.count(Organisation);
  }
}
