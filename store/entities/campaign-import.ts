import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ImportStatus } from '../../contract/campaigns';

/** One upload of contacts. Its numbers are written with each of its batches, in the same transaction. */
@Entity('campaign_imports')
@Index('campaign_imports_campaign', ['campaignId', 'createdAt', 'id'])
export class CampaignImport {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  campaignId!: string;

  @Column({ type: 'text' })
  status!: ImportStatus;

  @Column({ type: 'integer', default: 0 })
  accepted!: number;

  @Column({ type: 'integer', default: 0 })
  duplicates!: number;

  @Column({ type: 'integer', default: 0 })
  invalid!: number;

  @Column({ type: 'integer', default: 0 })
  suppressed!: number;

  /** Why it did not come to its end. */
  @Column({ type: 'text', nullable: true })
  problem!: string | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  /** Of its last batch. */
  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
