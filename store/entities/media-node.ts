import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';

/** The latest boot of a media node. All times are the database's own. */
@Entity('media_nodes')
export class MediaNode {
  @PrimaryColumn({ type: 'text' })
  nodeId!: string;

  @Column({ type: 'text' })
  bootId!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  lastSeen!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  startedAt!: Date;

  /** When this boot was declared lost: its calls are over, it must not act for them any more. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lostAt!: Date | null;

  /** What the reconciler asks of the node: its calls, as the answer to this. */
  @Column({ type: 'text', nullable: true })
  surveyId!: string | null;

  /** What phone systems are pointed at: `host`, or `host:port` when the port is not 5060. */
  @Column({ type: 'text', nullable: true })
  sipAddress!: string | null;

  @Column({ type: 'integer', default: 0 })
  calls!: number;

  /** Of the configuration that the node acts on. */
  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  configVersion!: number;

  @Column({ type: 'jsonb', default: () => "'{}'" })
  info!: Record<string, unknown>;
}
