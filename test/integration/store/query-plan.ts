/** What PostgreSQL did for a statement, read from its EXPLAIN. */
import type { EntityManager } from 'typeorm';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

export interface PlanFacts {
  /** Tables read from end to end. */
  readonly scanned: readonly string[];
  readonly rowsReturned: number;
  /** Of tables, whether they passed the conditions or not. */
  readonly rowsRead: number;
  readonly rowsSorted: number;
  /** Blocks of tables and indexes: an index that is read for long shows here alone. */
  readonly blocks: number;
}

/** Runs it. */
export async function explain(
  manager: EntityManager,
  statement: string,
  parameters?: readonly unknown[],
): Promise<PlanFacts> {
  return factsOf(
    await manager.query(`${EXPLAIN} ${statement}`, parameters === undefined ? undefined : [...parameters]),
  );
}

/** Runs it as PostgreSQL does once it plans a prepared statement without looking at its parameters. */
export async function explainGeneric(
  manager: EntityManager,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<PlanFacts> {
  const literals = parameters.map((value) =>
    value === null ? 'NULL' : `'${`${value as string | number}`.replaceAll("'", "''")}'`,
  );
  await manager.query(`PREPARE explained AS ${statement}`);
  try {
    await manager.query('SET LOCAL plan_cache_mode = force_generic_plan');
    return factsOf(await manager.query(`${EXPLAIN} EXECUTE explained(${literals.join(', ')})`));
  } finally {
    await manager.query('DEALLOCATE explained');
  }
}

const EXPLAIN = 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)';

function factsOf(rows: readonly { readonly 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }[]): PlanFacts {
  const top = rows[0]?.['QUERY PLAN'][0].Plan;
  if (top === undefined) throw new Error('EXPLAIN answered no plan');
  const nodes = [...nodesOf(top)];
  const sum = (of: (node: PlanNode) => number): number =>
    Math.round(nodes.reduce((total, node) => total + of(node) * node['Actual Loops'], 0));
  return {
    scanned: nodes.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : [])),
    rowsReturned: top['Actual Rows'],
    rowsRead: sum((node) =>
      node['Relation Name'] === undefined
        ? 0
        : node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0),
    ),
    rowsSorted: sum((node) => (node['Node Type'] === 'Sort' ? (node.Plans?.[0]?.['Actual Rows'] ?? 0) : 0)),
    blocks: top['Shared Hit Blocks'] + top['Shared Read Blocks'],
  };
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const child of node.Plans ?? []) yield* nodesOf(child);
}
