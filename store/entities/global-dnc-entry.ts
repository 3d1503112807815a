import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DncSource } from '../../contract/campaigns';

/** A number that no campaign of this server calls: the operator's list. */
@Entity('global_dnc_entries')
@Index('global_dnc_entries_number', ['phoneNumber'], { unique: true })
@Index('global_dnc_entries_created', ['createdAt', 'id'])
export class GlobalDncEntry {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** E.164. */
  @Column({ type: 'text' })
  phoneNumber!: string;

  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ type: 'text' })
  source!: DncSource;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
