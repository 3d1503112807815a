/**
 * Rows as an entity declares them, for what is asked by every request: TypeORM takes longer to build a query and to make
 * its entities than PostgreSQL to answer it.
 */
import type { EntityManager, EntityMetadata, EntityTarget } from 'typeorm';
import { prepared } from './prepared';
import type { FOR_UPDATE } from './row-lock';

export interface RowTable {
  readonly name: string;
  /** Names of a row's values in the database, given those in code. */
  readonly list: string;
  readonly select: string;
  /** Names in the database by those in code. */
  readonly columns: Readonly<Record<string, string>>;
  /** What the entity makes of the driver's values, in their place. */
  readonly read: <Row extends object>(row: Row) => Row;
}

const tables = new WeakMap<EntityMetadata, RowTable>();

export function rowTable<Row>(manager: EntityManager, entity: EntityTarget<Row>): RowTable {
  const metadata = manager.dataSource.getMetadata(entity);
  const known = tables.get(metadata);
  if (known !== undefined) return known;
  const { columns } = metadata;
  const selected = columns.filter(({ isSelect }) => isSelect);
  const transformed = selected.flatMap(({ propertyName, transformer }) =>
    transformer === undefined || Array.isArray(transformer) ? [] : [[propertyName, transformer] as const],
  );
  const list = selected.map(({ databaseName, propertyName }) => `${databaseName} AS "${propertyName}"`).join(', ');
  const table: RowTable = {
    name: metadata.tableName,
    list,
    select: `SELECT ${list} FROM ${metadata.tableName}`,
    columns: Object.fromEntries(columns.map(({ propertyName, databaseName }) => [propertyName, databaseName])),
    read: (row) => {
      const values = row as Record<string, unknown>;
      for (const [name, transformer] of transformed) values[name] = transformer.from(values[name]);
      return row;
    },
  };
  tables.set(metadata, table);
  return table;
}

/** The one of an organisation, of an entity that has both. */
export async function ownRow<Row extends { readonly id: string; readonly orgId: string }>(
  manager: EntityManager,
  entity: EntityTarget<Row>,
  { orgId, id }: { readonly orgId: string; readonly id: string },
  lock?: typeof FOR_UPDATE,
): Promise<Row | null> {
  const { select, read } = rowTable(manager, entity);
  const text = prepared(`${select} WHERE id = $1 AND org_id = $2${lock === undefined ? '' : ' FOR NO KEY UPDATE'}`);
  const [row]: Row[] = await manager.query(text, [id, orgId]);
  return row === undefined ? null : read(row);
}

/** All of an organisation, of an entity of which it has some dozens, oldest first. */
export async function ownRows<Row extends { readonly id: string; readonly orgId: string; readonly createdAt: Date }>(
  manager: EntityManager,
  entity: EntityTarget<Row>,
  orgId: string,
): Promise<Row[]> {
  const { select, read } = rowTable(manager, entity);
  const rows: Row[] = await manager.query(prepared(`${select} WHERE org_id = $1 ORDER BY created_at, id`), [orgId]);
  return rows.map(read);
}
