import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import type { Disposition } from '../../contract/endings';
import { bigintAsNumber } from '../naming';
import { Campaign } from './campaign';

/** How many dialled calls of a campaign ended so, in sixteen slots that are summed. Written by a trigger on the calls. */
@Entity('campaign_call_tallies')
export class CampaignCallTally {
  @ForeignKey(() => Campaign, { name: 'campaign_call_tallies_campaign_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  campaignId!: string;

  @PrimaryColumn({ type: 'smallint' })
  slot!: number;

  @PrimaryColumn({ type: 'text' })
  disposition!: Disposition;

  /** Of the contact's day when it was dialled; -1: not known. */
  @PrimaryColumn({ type: 'smallint' })
  hour!: number;

  /** Dials of the contact by then, this one among them. */
  @PrimaryColumn({ type: 'smallint' })
  attempt!: number;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  calls!: number;

  /** From answer to end. */
  @Column({ type: 'bigint', transformer: bigintAsNumber })
  seconds!: number;
}
