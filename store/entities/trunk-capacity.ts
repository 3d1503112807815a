import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { OutboundTrunk } from './outbound-trunk';

/** When the next INVITE may leave over an outbound trunk. No row: whenever. */
@Entity('trunk_capacity')
export class TrunkCapacityRow {
  @ForeignKey(() => OutboundTrunk, { name: 'trunk_capacity_trunk_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  /** By its calls a second. */
  @Column({ type: 'timestamptz', default: '-infinity' })
  nextAt!: Date;

  /** By the carrier, which has answered 503. */
  @Column({ type: 'timestamptz', default: '-infinity' })
  coolUntil!: Date;

  /** When somebody asked last, and when that was after a time in which nobody could. */
  @Column({ type: 'timestamptz', default: '-infinity' })
  askedAt!: Date;

  @Column({ type: 'timestamptz', default: '-infinity' })
  resumedAt!: Date;
}
