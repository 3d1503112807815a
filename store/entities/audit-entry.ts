import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Who changed what. `before` and `after` never hold secrets. */
@Entity('audit_log')
@Index('audit_log_org', ['orgId', 'at', 'id'])
@Index('audit_log_resource', ['orgId', 'resource', 'at', 'id'])
@Index('audit_log_resource_id', ['orgId', 'resourceId', 'at', 'id'], { where: 'resource_id IS NOT NULL' })
@Index('audit_log_action', ['orgId', 'action', 'at', 'id'])
export class AuditEntry {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;

  @Column({ type: 'uuid', nullable: true })
  keyId!: string | null;

  @Column({ type: 'text', nullable: true })
  requestId!: string | null;

  @Column({ type: 'text' })
  action!: string;

  @Column({ type: 'text' })
  resource!: string;

  @Column({ type: 'text', nullable: true })
  resourceId!: string | null;

  @Column({ type: 'jsonb', nullable: true })
  before!: Record<string, unknown> | null;

  @Column({ type: 'jsonb', nullable: true })
  after!: Record<string, unknown> | null;
}
