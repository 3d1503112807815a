import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';
import { Organisation } from './organisation';
import { OutboundTrunk } from './outbound-trunk';
import { TransferDestination } from './transfer-destination';

export type AgentType = 'inbound' | 'outbound';
export type AmbientNoise = 'none' | 'office' | 'bar' | 'city-street';

/** `{provider, model, …}`; null in an agent's column means the server's default. */
export interface ProviderChoice {
  readonly provider: string;
  readonly model?: string;
  readonly [option: string]: unknown;
}

@Entity('agents')
@Index('agents_org', ['orgId', 'createdAt', 'id'])
@Index('agents_version', ['version'])
@Index('agents_outbound_trunk', ['outboundTrunkId'], { where: 'outbound_trunk_id IS NOT NULL' })
@Index('agents_failover', ['failoverTransferDestinationId'], {
  where: 'failover_transfer_destination_id IS NOT NULL',
})
export class Agent {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'agents_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', default: 'inbound' })
  type!: AgentType;

  @Column({ type: 'text', nullable: true })
  voiceId!: string | null;

  @Column({ type: 'text', array: true, default: () => "'{en}'" })
  language!: string[];

  @Column({ type: 'text', default: 'Hello?' })
  firstMessage!: string;

  @Column({ type: 'text', array: true, default: () => "'{}'" })
  instructions!: string[];

  @Column({ type: 'text', nullable: true })
  handoffPhoneNumber!: string | null;

  @Column({ type: 'boolean', default: false })
  useOrgKnowledgebase!: boolean;

  /** null = all, empty = none. */
  @Column({ type: 'text', array: true, nullable: true })
  actionIds!: string[] | null;

  @Column({ type: 'boolean', default: true })
  interruptible!: boolean;

  @Column({ type: 'boolean', default: false })
  recordingEnabled!: boolean;

  @Column({ type: 'text', array: true, default: () => "'{}'" })
  sttKeyterms!: string[];

  @Column({ type: 'integer', default: 100 })
  ttsSpeedPct!: number;

  @ForeignKey(() => TransferDestination, { name: 'agents_failover_fk' })
  @Column({ type: 'uuid', nullable: true })
  failoverTransferDestinationId!: string | null;

  @Column({ type: 'text', array: true, nullable: true })
  dataCollectionFields!: string[] | null;

  @Column({ type: 'text', nullable: true })
  dataCollectionWebhookUrl!: string | null;

  @Column({ type: 'double precision', default: 24 })
  sessionWindowHours!: number;

  @Column({ type: 'text', default: 'none' })
  ambientNoise!: AmbientNoise;

  @Column({ type: 'integer', default: 3600 })
  maxCallDurationSeconds!: number;

  @Column({ type: 'integer', default: 10 })
  silenceTimeoutSeconds!: number;

  @Column({ type: 'jsonb', nullable: true })
  llm!: ProviderChoice | null;

  @Column({ type: 'jsonb', nullable: true })
  stt!: ProviderChoice | null;

  @Column({ type: 'jsonb', nullable: true })
  tts!: ProviderChoice | null;

  @Column({ type: 'text', nullable: true })
  customLlm!: string | null;

  @ForeignKey(() => OutboundTrunk, { name: 'agents_outbound_trunk_fk' })
  @Column({ type: 'uuid', nullable: true })
  outboundTrunkId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  version!: number;
}
