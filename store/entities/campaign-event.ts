import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CampaignEventType } from '../../contract/campaigns';

/** A campaign's timeline: what was done to it, and what it has done by itself. */
@Entity('campaign_events')
@Index('campaign_events_campaign', ['campaignId', 'at', 'id'])
export class CampaignEventRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  campaignId!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;

  @Column({ type: 'text' })
  type!: CampaignEventType;

  @Column({ type: 'jsonb', default: () => "'{}'" })
  data!: Record<string, unknown>;
}
