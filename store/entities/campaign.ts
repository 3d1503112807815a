import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { CampaignStatus } from '../../contract/campaigns';
import type { Disposition } from '../../contract/endings';
import type { CampaignWindow } from '../campaigns/campaign-hours';
import type { NumberCaps } from '../campaigns/number-caps';
import type { RetryMatrix } from '../campaigns/retry-plan';
import { Agent } from './agent';

/** Shares between 0 and 1; null: not looked at. */
export interface AutoPause {
  readonly answerRateBelow: number | null;
  readonly shortCallShareAbove: number | null;
  readonly abandonShareAbove: number | null;
}

/** When its contacts are called anew, all of them or those whose last call ended so. */
export interface CampaignRecurrence {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** IANA. */
  readonly timeZone: string;
  /** Null: every contact that is not opted out or suppressed. */
  readonly dispositions: readonly Disposition[] | null;
}

/** Contacts that are done are made due anew, page by page. */
export interface CampaignRenewal {
  /** Of its timeline, where they are counted. */
  readonly eventId: string;
  /** ISO 8601. Who was called since then is not called anew. */
  readonly since: string;
  /** As of the recurrence; none: nobody is called anew. */
  readonly dispositions: readonly Disposition[] | null;
  /** The rules have changed: also whom a look by the former ones has put off or left out. */
  readonly passedOver?: boolean;
  /** The phone number up to which it has come. */
  readonly after: string;
}

/** Calls to a list of contacts. Deleted, it waits for its contacts to be removed, some thousands at a time. */
@Entity('campaigns')
@Index('campaigns_org', ['orgId', 'createdAt', 'id'], { where: 'deleted_at IS NULL' })
@Index('campaigns_deleted', ['deletedAt'], { where: 'deleted_at IS NOT NULL' })
@Index('campaigns_live', ['id'], {
  where: "status IN ('scheduled', 'running', 'paused') AND deleted_at IS NULL",
})
@Index('campaigns_unsettled', ['id'], { where: "settled_version <> version AND status <> 'draft'" })
@Index('campaigns_agent', ['agentId'], { where: 'agent_id IS NOT NULL' })
export class Campaign {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  name!: string;

  /** Null when the agent was deleted. */
  @ForeignKey(() => Agent, { name: 'campaigns_agent_fk', onDelete: 'SET NULL' })
  @Column({ type: 'uuid', nullable: true })
  agentId!: string | null;

  @Column({ type: 'text' })
  status!: CampaignStatus;

  /** Of its settings: raised by each change. */
  @Column({ type: 'integer', default: 1 })
  version!: number;

  /** Null: the agent's. */
  @Column({ type: 'uuid', array: true, nullable: true })
  trunkIds!: string[] | null;

  /** E.164; empty: as the trunk says. */
  @Column({ type: 'text', array: true })
  callerNumbers!: string[];

  /** Of the caller numbers one of the called number's area. */
  @Column({ type: 'boolean' })
  localPresence!: boolean;

  @Column({ type: 'jsonb' })
  dialWindow!: CampaignWindow;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  startsAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endsAt!: Date | null;

  @Column({ type: 'integer' })
  ringTimeoutSeconds!: number;

  @Column({ type: 'integer', nullable: true })
  maxConcurrentCalls!: number | null;

  @Column({ type: 'double precision', nullable: true })
  callsPerSecond!: number | null;

  @Column({ type: 'jsonb' })
  retry!: RetryMatrix;

  @Column({ type: 'jsonb' })
  caps!: NumberCaps;

  @Column({ type: 'text' })
  machineDetection!: string;

  @Column({ type: 'text', nullable: true })
  voicemailMessage!: string | null;

  /** Said before the first message; null: nothing. */
  @Column({ type: 'text', nullable: true })
  disclosureLine!: string | null;

  /** Of contacts that have none of their own by that name. */
  @Column({ type: 'jsonb' })
  variables!: Record<string, string>;

  @Column({ type: 'boolean' })
  requireConsent!: boolean;

  @Column({ type: 'jsonb' })
  autoPause!: AutoPause;

  @Column({ type: 'text', nullable: true })
  goalField!: string | null;

  /** Null: it calls its list once. */
  @Column({ type: 'jsonb', nullable: true })
  recurrence!: CampaignRecurrence | null;

  /** Why it is paused, where nobody has asked for that; for people. */
  @Column({ type: 'text', nullable: true })
  statusReason!: string | null;

  /** Since it was started, or resumed, last: its guards look no further back. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  runningSince!: Date | null;

  /** Of its calls a second: 1, or less where a guard has slowed it. */
  @Column({ type: 'double precision', default: 1 })
  pace!: number;

  /** Up to this version its workflow has done what its row asks for: schedules, calls that end, contacts. */
  @Column({ type: 'integer', default: 1 })
  settledVersion!: number;

  /** Null: none is under way. */
  @Column({ type: 'jsonb', nullable: true })
  renewal!: CampaignRenewal | null;

  /** See `outsideRules`: by which it has looked at its contacts last. Null: it has not looked yet. */
  @Column({ type: 'text', nullable: true })
  rulesSeen!: string | null;

  /** Since when. */
  @Column({ type: 'timestamptz', nullable: true })
  rulesSeenAt!: Date | null;

  /** That its contacts came with, in the order of their first import, `name` among them: columns of its report. */
  @Column({ type: 'text', array: true, default: '{}' })
  variableNames!: string[];

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  deletedAt!: Date | null;
}
