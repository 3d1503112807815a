import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CallDirection, CallStatus } from '../../contract/call';
import type { Routing } from '../../contract/directory';
import type { CallMetrics, Disposition, EndedBy, EndReason } from '../../contract/endings';
import type { TransferOrigin, TransferResult, TransferWay } from '../../contract/transfers';

/** The last transfer of a call, as its row keeps it; without an outcome while it is under way. */
export type CallTransferRecord = {
  readonly id: string;
  /** Absent from what an earlier release has stored: by the API. */
  readonly by?: TransferOrigin;
  readonly mode: TransferWay;
} & ({ readonly outcome?: undefined } | Omit<TransferResult, 'mode'>);

/**
 * The projection of a call for lists and search; its workflow is the truth. No foreign keys: a call outlives the agent
 * and the trunk it was made with.
 *
 * No index knows the status: a call that moves from one to the next stays in its place in all of them (a heap-only update),
 * until it ends. Open is therefore what has no end.
 */
@Entity('calls')
@Check('calls_completed_ended', "(status = 'completed') = (ended_at IS NOT NULL)")
@Index('calls_org', ['orgId', 'createdAt', 'id'])
@Index('calls_org_agent', ['orgId', 'agentId', 'createdAt', 'id'])
@Index('calls_org_from', ['orgId', 'fromNumber', 'createdAt', 'id'])
@Index('calls_org_to', ['orgId', 'toNumber', 'createdAt', 'id'])
@Index('calls_org_direction', ['orgId', 'direction', 'createdAt', 'id'])
@Index('calls_org_disposition', ['orgId', 'disposition', 'createdAt', 'id'], { where: 'disposition IS NOT NULL' })
@Index('calls_org_campaign', ['orgId', 'campaignId', 'createdAt', 'id'], { where: 'campaign_id IS NOT NULL' })
@Index('calls_campaign_number', ['orgId', 'toNumber', 'createdAt'], { where: 'campaign_id IS NOT NULL' })
@Index('calls_contact', ['contactId', 'createdAt'], { where: 'campaign_id IS NOT NULL' })
@Index('calls_open_org', ['orgId', 'createdAt', 'id'], { where: 'ended_at IS NULL' })
@Index('calls_open_node', ['nodeId', 'bootId'], { where: 'ended_at IS NULL' })
@Index('calls_live_to', ['orgId', 'toNumber'], { where: "direction = 'outbound' AND ended_at IS NULL" })
@Index('calls_live_from', ['orgId', 'fromNumber'], { where: "direction = 'inbound' AND ended_at IS NULL" })
@Index('calls_open_trunk', ['trunkId'], { where: 'ended_at IS NULL' })
export class Call {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid', nullable: true })
  agentId!: string | null;

  @Column({ type: 'uuid', nullable: true })
  trunkId!: string | null;

  @Column({ type: 'uuid', nullable: true })
  campaignId!: string | null;

  /** Of a campaign's call: whom it calls. */
  @Column({ type: 'uuid', nullable: true })
  contactId!: string | null;

  @Column({ type: 'uuid' })
  sessionId!: string;

  @Column({ type: 'text' })
  direction!: CallDirection;

  @Column({ type: 'text' })
  fromNumber!: string;

  @Column({ type: 'text' })
  toNumber!: string;

  /** What the caller asked for in the Privacy header (RFC 3323 §4.2). */
  @Column({ type: 'text', array: true, default: () => "'{}'" })
  privacy!: string[];

  @Column({ type: 'text' })
  status!: CallStatus;

  @Column({ type: 'text', nullable: true })
  disposition!: Disposition | null;

  @Column({ type: 'text', nullable: true })
  endReason!: EndReason | null;

  @Column({ type: 'text', nullable: true })
  endedBy!: EndedBy | null;

  @Column({ type: 'text', nullable: true })
  sipCallId!: string | null;

  @Column({ type: 'integer', nullable: true })
  sipFinalStatus!: number | null;

  @Column({ type: 'text', nullable: true })
  sipReason!: string | null;

  @Column({ type: 'integer', nullable: true })
  sipQ850!: number | null;

  @Column({ type: 'text', nullable: true })
  nodeId!: string | null;

  @Column({ type: 'text', nullable: true })
  bootId!: string | null;

  @Column({ type: 'text', nullable: true })
  routingRule!: string | null;

  /** Of inbound calls. */
  @Column({ type: 'jsonb', nullable: true })
  routing!: Routing | null;

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  /** When it is, or was, to be dialled; null: at once. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  scheduledAt!: Date | null;

  /** Outbound: a call that was not dialled by then never is. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  expiresAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  startedAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  answeredAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt!: Date | null;

  /** Answer to end, 0 when never answered; null while the call lives. */
  @Column({ type: 'integer', nullable: true })
  durationSeconds!: number | null;

  @Column({ type: 'jsonb', nullable: true })
  metrics!: CallMetrics | null;

  /** The last one. */
  @Column({ type: 'jsonb', nullable: true })
  transfer!: CallTransferRecord | null;

  @Column({ type: 'jsonb', default: () => "'{}'" })
  metadata!: Record<string, unknown>;

  /** The record was closed before all of the node's events had arrived. */
  @Column({ type: 'boolean', default: false })
  truncated!: boolean;
}
