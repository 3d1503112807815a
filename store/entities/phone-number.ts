import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';
import { Agent } from './agent';
import { Organisation } from './organisation';

export type NumberStatus = 'pending' | 'verified' | 'failed' | 'expired';
export type NumberMethod = 'attest' | 'outbound_code' | 'inbound_call';

/** A number and the record of how it was verified. While verified it belongs to exactly one organisation. */
@Entity('phone_numbers')
@Index('phone_numbers_verified', ['phoneNumber'], { unique: true, where: "status = 'verified'" })
@Index('phone_numbers_org', ['orgId', 'createdAt', 'id'])
@Index('phone_numbers_org_number', ['orgId', 'phoneNumber'], { where: "status = 'verified'" })
@Index('phone_numbers_ending', ['orgId', 'numberEnding'], { where: "status = 'verified'" })
@Index('phone_numbers_country', ['orgId', 'country'], { where: "status = 'verified'" })
@Index('phone_numbers_agent', ['agentId'], { where: 'agent_id IS NOT NULL' })
@Index('phone_numbers_version', ['version'])
export class PhoneNumber {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'phone_numbers_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  phoneNumber!: string;

  /** Its last seven digits, which a trigger writes. */
  @Column({ type: 'text', select: false, insert: false, update: false })
  readonly numberEnding?: string;

  /** ISO code, as numbering plans said when the row was made; null for a number in no country. */
  @Column({ type: 'text', nullable: true, select: false })
  country?: string | null;

  @Column({ type: 'text', default: 'pending' })
  status!: NumberStatus;

  @Column({ type: 'text' })
  method!: NumberMethod;

  /** At most one agent answers a number. */
  @ForeignKey(() => Agent, { name: 'phone_numbers_agent_fk' })
  @Column({ type: 'uuid', nullable: true })
  agentId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  codeExpiresAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  verifiedAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  version!: number;
}
