import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { CampaignContactState } from '../../contract/campaigns';
import { bigintAsNumber } from '../naming';

/** How many contacts of a campaign are in a state: the sum of its slots, each of which may be below zero. Written by a trigger. */
@Entity('campaign_tallies')
export class CampaignTally {
  @PrimaryColumn({ type: 'uuid' })
  campaignId!: string;

  @PrimaryColumn({ type: 'smallint' })
  slot!: number;

  @PrimaryColumn({ type: 'text' })
  state!: CampaignContactState;

  /** Empty: none. */
  @PrimaryColumn({ type: 'text' })
  result!: string;

  /** Why they were left out; empty: they were not. */
  @PrimaryColumn({ type: 'text', default: '' })
  reason!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  contacts!: number;

  /** Dials of these contacts. */
  @Column({ type: 'bigint', transformer: bigintAsNumber })
  attempts!: number;
}
