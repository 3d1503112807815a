import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('idempotency_keys')
@Index('idempotency_keys_created', ['createdAt'])
export class IdempotencyKey {
  @PrimaryColumn({ type: 'uuid' })
  orgId!: string;

  @PrimaryColumn({ type: 'text' })
  route!: string;

  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ type: 'text' })
  bodyHash!: string;

  /** How many resources the key has begun; part of a call's derived id. */
  @Column({ type: 'integer', default: 1 })
  n!: number;

  @Column({ type: 'uuid', nullable: true })
  resourceId!: string | null;

  /** HTTP status of the saved answer; null while the request runs. */
  @Column({ type: 'integer', nullable: true })
  status!: number | null;

  /** The saved answer, sealed: some answers show a password or a key once. */
  @Column({ type: 'text', nullable: true })
  responseSealed!: string | null;

  @Column({ type: 'uuid', nullable: true })
  leaseId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  leaseUntil!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
