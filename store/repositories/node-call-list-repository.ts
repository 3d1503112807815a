import type { DataSource } from 'typeorm';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { NodeBoot, NodeCalls } from '../../contract/nodes';
import { jsonbParameter } from '../jsonb';

interface CallListRow {
  node_id: string;
  boot_id: string;
  calls: NodeCalls['calls'];
}

/**
 * Asks media nodes what calls they have: the question stands in their row, which each of them sees with its next sign of
 * life, and the answer in a table that is not logged. So the lists of live calls pass through no workflow's history.
 */
export class NodeCallListRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Who is asked: the nodes that live. */
  async ask(surveyId: string): Promise<NodeBoot[]> {
    const [rows]: [NodeBoot[], number] = await this.#dataSource.query(
      `UPDATE media_nodes SET survey_id = $1
       WHERE lost_at IS NULL AND last_seen >= clock_timestamp() - interval '${NODE_SILENCE_MS} milliseconds'
       RETURNING node_id AS "nodeId", boot_id AS "bootId"`,
      [surveyId],
    );
    return rows;
  }

  /** The node's answer. */
  async tell(surveyId: string, { nodeId, bootId, calls }: NodeCalls): Promise<void> {
    await this.#dataSource.query(
      `INSERT INTO media_node_calls (node_id, boot_id, survey_id, calls) VALUES ($1, $2, $3, $4::jsonb)
       ON CONFLICT (node_id) DO UPDATE SET boot_id = excluded.boot_id, survey_id = excluded.survey_id,
         calls = excluded.calls`,
      [nodeId, bootId, surveyId, jsonbParameter(calls)],
    );
  }

  /** Nodes that have answered. */
  async told(surveyId: string): Promise<string[]> {
    const rows: { node_id: string }[] = await this.#dataSource.query(
      'SELECT node_id FROM media_node_calls WHERE survey_id = $1 ORDER BY node_id',
      [surveyId],
    );
    return rows.map(({ node_id }) => node_id);
  }

  /** Null when the node has meanwhile been asked by another survey. */
  async find(surveyId: string, nodeId: string): Promise<NodeCalls | null> {
    const rows: CallListRow[] = await this.#dataSource.query(
      'SELECT node_id, boot_id, calls FROM media_node_calls WHERE survey_id = $1 AND node_id = $2',
      [surveyId, nodeId],
    );
    const [row] = rows;
    return row === undefined ? null : { nodeId: row.node_id, bootId: row.boot_id, calls: row.calls };
  }
}
