import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A slot of an outbound trunk and of its organisation, which a boot of a media node has for an attempt or a leg. */
@Entity('capacity_leases')
@Index('capacity_leases_trunk', ['trunkId'])
@Index('capacity_leases_org', ['orgId'])
@Index('capacity_leases_campaign', ['campaignId'], { where: 'campaign_id IS NOT NULL' })
export class CapacityLease {
  /** Of an attempt its id. */
  @PrimaryColumn({ type: 'uuid' })
  leaseId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'uuid', nullable: true })
  campaignId!: string | null;

  @Column({ type: 'text' })
  nodeId!: string;

  @Column({ type: 'text' })
  bootId!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'clock_timestamp()' })
  takenAt!: Date;
}
