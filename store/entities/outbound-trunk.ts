import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { AudioCodec } from '../../contract/audio-codecs';
import type { DtmfMode, Gateway, NumberFormat } from '../../contract/directory';
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

  /** E.164; calls may come from them too. */
  @Column({ type: 'text', array: true, default: () => "'{}'" })
  callerNumbers!: string[];

  /** Dialled in the place of `host`. */
  @Column({ type: 'jsonb', default: () => "'[]'" })
  gateways!: Gateway[];

  /** What is offered, in this order; null: all. */
  @Column({ type: 'text', array: true, nullable: true })
  codecs!: AudioCodec[] | null;

  /** How keys are pressed towards the peer. */
  @Column({ type: 'text', default: 'auto' })
  dtmfMode!: DtmfMode;

  @Column({ type: 'integer', nullable: true })
  maxConcurrentCalls!: number | null;

  @Column({ type: 'double precision', nullable: true })
  maxCallsPerSecond!: number | null;

  @Column({ type: 'text', default: 'e164' })
  numberFormat!: NumberFormat;

  @Column({ type: 'text', default: '' })
  numberPrefix!: string;

  /** Of From; null: `host`. */
  @Column({ type: 'text', nullable: true })
  fromHost!: string | null;

  /** Further headers of each INVITE. */
  @Column({ type: 'jsonb', default: () => "'{}'" })
  headers!: Record<string, string>;

  @Column({ type: 'boolean', default: false })
  passCallerId!: boolean;

  @Column({ type: 'boolean', default: false })
  transportStrict!: boolean;

  /** ISO codes, of those that server and organisation allow; null: all of them. */
  @Column({ type: 'text', array: true, nullable: true })
  allowedCountries!: string[] | null;

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
