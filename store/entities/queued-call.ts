import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CapacityReason } from '../../contract/capacity';

/** A call that waits until it may be dialled, first in first out, and fair between campaigns and other calls. It is gone with the dial, or with the call. */
@Entity('capacity_queue')
@Index('capacity_queue_trunk', ['trunkId', 'queuedAt'])
@Index('capacity_queue_org', ['orgId', 'queuedAt'])
@Index('capacity_queue_campaign', ['campaignId', 'queuedAt'], { where: 'campaign_id IS NOT NULL' })
export class QueuedCall {
  @PrimaryColumn({ type: 'uuid' })
  callId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'uuid', nullable: true })
  campaignId!: string | null;

  /** Its place in the queue, which may lie ahead of its time; a call that comes again keeps it. */
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
