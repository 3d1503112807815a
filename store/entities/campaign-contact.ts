import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CampaignContactResult, CampaignContactState } from '../../contract/campaigns';
import type { Disposition } from '../../contract/endings';

/** As it is stored and shown: why somebody was called, or not. */
export interface LastDecision {
  /** ISO 8601. */
  readonly at: string;
  readonly called: boolean;
  /** A check that did not pass, or what became of the campaign; none where it was called. */
  readonly reason?: string;
  /** For people. */
  readonly detail?: string;
  /** Where there was a call. */
  readonly call_id?: string;
}

/** Somebody whom a campaign calls. A trigger counts them by state and result in `campaign_tallies`. */
@Entity('campaign_contacts')
@Index('campaign_contacts_number', ['campaignId', 'phoneNumber'], { unique: true })
@Index('campaign_contacts_due', ['campaignId', 'priority', 'dueAt', 'id'], { where: 'due_at IS NOT NULL' })
@Index('campaign_contacts_state', ['campaignId', 'state', 'createdAt', 'id'])
@Index('campaign_contacts_result', ['campaignId', 'result', 'createdAt', 'id'], { where: 'result IS NOT NULL' })
@Index('campaign_contacts_calling', ['orgId', 'phoneNumber'], {
  where: "state = 'calling'",
  unique: true,
})
export class CampaignContact {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  campaignId!: string;

  /** E.164. */
  @Column({ type: 'text' })
  phoneNumber!: string;

  @Column({ type: 'text', nullable: true })
  name!: string | null;

  /** IANA; null: as the number tells. */
  @Column({ type: 'text', nullable: true })
  timeZone!: string | null;

  /** The zone by whose clock its calls are counted where the contact has none of its own: as its number tells. */
  @Column({ type: 'text', nullable: true })
  clockZone!: string | null;

  @Column({ type: 'text', nullable: true })
  consentId!: string | null;

  /** The highest is called first. */
  @Column({ type: 'smallint' })
  priority!: number;

  @Column({ type: 'jsonb' })
  variables!: Record<string, string>;

  @Column({ type: 'text', default: 'pending' })
  state!: CampaignContactState;

  /** Once it is done. */
  @Column({ type: 'text', nullable: true })
  result!: CampaignContactResult | null;

  /** Not called before; null while it is not to be called. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  dueAt!: Date | null;

  /** Dials: an INVITE has left, or may have. */
  @Column({ type: 'smallint', default: 0 })
  attempts!: number;

  /** Calls that were started for it, dialled or not: the number of each is part of its id. */
  @Column({ type: 'smallint', default: 0 })
  calls!: number;

  /** The turn of its campaign that has claimed it last, which may be repeated. */
  @Column({ type: 'text', nullable: true })
  turn!: string | null;

  /** The last call that was started for it, by which trunk, and when it was claimed. */
  @Column({ type: 'uuid', nullable: true })
  callId!: string | null;

  @Column({ type: 'uuid', nullable: true })
  trunkId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  claimedAt!: Date | null;

  /** Since it was made due anew: attempts before it do not count against its retries. Null: never. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  roundAt!: Date | null;

  @Column({ type: 'text', nullable: true })
  lastDisposition!: Disposition | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastAttemptAt!: Date | null;

  /** Why it was, or was not, called when it was last looked at. */
  @Column({ type: 'jsonb', nullable: true })
  lastDecision!: LastDecision | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
