import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { TrunkHealthReason, TrunkHealthState, TrunkRegistration } from '../../contract/trunk-health';
import { OutboundTrunk } from './outbound-trunk';

/** How an outbound trunk fares, and which boot of which media node looks after it. */
@Entity('trunk_health')
@Index('trunk_health_owner', ['ownerNode', 'ownerBoot'])
export class TrunkHealthRow {
  @ForeignKey(() => OutboundTrunk, { name: 'trunk_health_trunk_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  /** Null, as the boot: nobody's. */
  @Column({ type: 'text', nullable: true })
  ownerNode!: string | null;

  @Column({ type: 'text', nullable: true })
  ownerBoot!: string | null;

  @Column({ type: 'text', default: 'unknown' })
  state!: TrunkHealthState;

  @Column({ type: 'jsonb', default: () => "'[]'" })
  reasons!: TrunkHealthReason[];

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  since!: Date;

  /** `since` of the change that the trunk's workflow was told last. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  toldSince!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  checkedAt!: Date | null;

  @Column({ type: 'integer', nullable: true })
  rttMs!: number | null;

  @Column({ type: 'jsonb', nullable: true })
  registration!: TrunkRegistration | null;
}
