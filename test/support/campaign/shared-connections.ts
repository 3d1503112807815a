/**
 * Statements that are transactions of their own, on few connections: on each the next ones leave before the answers to those
 * before them, in one packet. Of a small statement to a server beside us the packets and the waking of both processes are the
 * larger part. Transactions of several statements have connections of their own, from the pool.
 */
import type { DataSource } from 'typeorm';

import { FailFastClient } from '../../../store/fail-fast-client';

interface SharedConnection {
  readonly client: FailFastClient;
  underWay: number;
}

export class SharedConnections {
  readonly #connections: readonly SharedConnection[];

  private constructor(connections: readonly SharedConnection[]) {
    this.#connections = connections;
  }

  static async open(url: string, count: number): Promise<SharedConnections> {
    const connections = Array.from({ length: count }, () => {
      const client = new FailFastClient({ connectionString: url, pipeline: true } as object);
      return { client, underWay: 0 };
    });
    await Promise.all(connections.map(({ client }) => client.connect()));
    return new SharedConnections(connections);
  }

  /** The same database, asked by these connections. */
  over(dataSource: DataSource): DataSource {
    const query = { value: (text: string, values: readonly unknown[] = []) => this.#query(text, values) };
    const manager = { value: Object.create(dataSource.manager, { query }) as DataSource['manager'] };
    return Object.create(dataSource, { query, manager }) as DataSource;
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map(({ client }) => client.end()));
  }

  /** As TypeORM answers: of an UPDATE or DELETE its rows, and how many they are. */
  async #query(text: string, values: readonly unknown[]): Promise<unknown> {
    const connection = this.#connections.reduce((least, one) => (one.underWay < least.underWay ? one : least));
    connection.underWay += 1;
    try {
      const [answer] = await connection.client.group([{ text, values }]);
      if (answer === undefined) throw new Error('no answer');
      const { command, rows, rowCount } = answer;
      return command === 'UPDATE' || command === 'DELETE' ? [rows, rowCount] : rows;
    } finally {
      connection.underWay -= 1;
    }
  }
}
