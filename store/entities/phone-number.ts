import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { NumberMethod, NumberStatus, VerificationFailure } from '../../contract/number-verification';
import { bigintAsNumber } from '../naming';
import { Agent } from './agent';
import { Organisation } from './organisation';

/**
 * A number and the record of how it was verified, one of each number in an organisation. While verified it belongs to
 * exactly one organisation.
 */
@Entity('phone_numbers')
@Index('phone_numbers_verified', ['phoneNumber'], { unique: true, where: "status = 'verified'" })
// Also finds the other organisations that want a number which is verified by now.
@Index('phone_numbers_record', ['phoneNumber', 'orgId'], { unique: true })
@Index('phone_numbers_pending', ['id'], { where: "status = 'pending'" })
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

  /** Rounds of verification that were begun; 0 when it was attested at once. */
  @Column({ type: 'integer', default: 0 })
  round!: number;

  /** Codes that were compared in this round. */
  @Column({ type: 'integer', default: 0 })
  tries!: number;

  /** Through which the code is called. No foreign key: a trunk can be deleted meanwhile. */
  @Column({ type: 'uuid', nullable: true })
  trunkId!: string | null;

  /** Of what failed or expired. */
  @Column({ type: 'text', nullable: true })
  failure!: VerificationFailure | null;

  /** When the round ends by itself; of a number that waits for its call too. */
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
