import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CapacityReason } from '../../contract/capacity';

/** A call that waits until it may be dialled, first in first out. It is gone with the dial, or with the call. */
@Entity('capacity_queue')
@Index('capacity_queue_trunk', ['trunkId', 'queuedAt'])
@Index('capacity_queue_org', ['orgId', 'queuedAt'])
export class QueuedCall {
  @PrimaryColumn({ type: 'uuid' })
  callId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  trunkId!: string;

  /** Its place in the queue; a call that comes again keeps it. */
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  queuedAt!: Date;

  @Column({ type: 'text' })
  reason!: CapacityReason;

  /** When its workflow comes again; null: when it is called. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  retryAt!: Date | null;

  /** How often its workflow was called since it was here last, and when. */
  @Column({ type: 'integer', default: 0 })
  called!: number;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  calledAt!: Date | null;
}
