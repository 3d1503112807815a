import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';
import { InboundTrunk } from './inbound-trunk';

/** A contact that a phone system has registered with the credentials of its inbound trunk: `contract/registration.ts`. */
@Entity('sip_registrations')
@Index('sip_registrations_trunk', ['trunkId', 'expiresAt'])
export class SipRegistration {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  // Of an organisation by its trunk: a foreign key of its own would lock organisation and trunk in the wrong order.
  @Column({ type: 'uuid' })
  orgId!: string;

  @ForeignKey(() => InboundTrunk, { name: 'sip_registrations_trunk_fk', onDelete: 'CASCADE' })
  @Column({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'text' })
  contact!: string;

  @Column({ type: 'text', nullable: true })
  instanceId!: string | null;

  @Column({ type: 'integer', nullable: true })
  regId!: number | null;

  @Column({ type: 'double precision', default: 1 })
  q!: number;

  @Column({ type: 'text', array: true, default: () => "'{}'" })
  path!: string[];

  @Column({ type: 'text' })
  sipCallId!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  cseq!: number;

  @Column({ type: 'text', nullable: true })
  userAgent!: string | null;

  @Column({ type: 'text' })
  transport!: 'udp' | 'tcp' | 'tls';

  @Column({ type: 'text' })
  sourceAddress!: string;

  @Column({ type: 'integer' })
  sourcePort!: number;

  /** Only its flow reaches it, whatever address the contact has. */
  @Column({ type: 'boolean', default: false })
  behindNat!: boolean;

  /** The media node that holds the flow. */
  @Column({ type: 'text' })
  nodeId!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  registeredAt!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  refreshedAt!: Date;

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt!: Date;
}
