import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Organisation } from './organisation';

@Entity('api_keys')
@Index('api_keys_hash', ['hash'], { unique: true })
@Index('api_keys_org', ['orgId', 'createdAt', 'id'])
export class ApiKey {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'api_keys_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  prefix!: string;

  @Column({ type: 'text' })
  last4!: string;

  /** Hex HMAC-SHA-256 of the key; the key itself is stored nowhere. */
  @Column({ type: 'text' })
  hash!: string;

  /** `resource:read|write`, or the single entry `full`. */
  @Column({ type: 'text', array: true })
  scopes!: string[];

  /** The server's operator: may vouch for numbers and see other organisations. */
  @Column({ type: 'boolean', default: false })
  operator!: boolean;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  expiresAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt!: Date | null;
}
