import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';
import { Organisation } from './organisation';

export type OutboundTransport = 'udp' | 'tcp' | 'tls';

@Entity('outbound_trunks')
@Index('outbound_trunks_org', ['orgId', 'createdAt', 'id'])
@Index('outbound_trunks_version', ['version'])
export class OutboundTrunk {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'outbound_trunks_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  host!: string;

  /** Null, as the transport: what the name servers say of the host. */
  @Column({ type: 'integer', default: 5060, nullable: true })
  port!: number | null;

  @Column({ type: 'text', default: 'udp', nullable: true })
  transport!: OutboundTransport | null;

  @Column({ type: 'text' })
  username!: string;

  /** Opened by media nodes only. */
  @Column({ type: 'text' })
  passwordSealed!: string;

  @Column({ type: 'text' })
  callerNumber!: string;

  /** How long nothing may come from the peer while the agent is silent too. */
  @Column({ type: 'integer', default: 30 })
  mediaTimeoutSeconds!: number;

  /** We register with it. */
  @Column({ type: 'boolean', default: false })
  register!: boolean;

  /** It is asked by OPTIONS whether it is there. */
  @Column({ type: 'boolean', default: true })
  optionsPing!: boolean;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  version!: number;
}
