import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DncSource } from '../../contract/campaigns';

/** A number that no campaign of the organisation calls. */
@Entity('dnc_entries')
@Index('dnc_entries_number', ['orgId', 'phoneNumber'], { unique: true })
@Index('dnc_entries_org', ['orgId', 'createdAt', 'id'])
export class DncEntry {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

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
