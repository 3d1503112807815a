import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Campaign } from './campaign';

/** When the next INVITE of a campaign may leave, by its own calls a second. No row: whenever. */
@Entity('campaign_capacity')
export class CampaignCapacity {
  @ForeignKey(() => Campaign, { name: 'campaign_capacity_campaign_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  campaignId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'timestamptz', default: '-infinity' })
  nextAt!: Date;
}
