import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { AudioCodec } from '../../contract/audio-codecs';
import type { DtmfMode } from '../../contract/directory';
import { bigintAsNumber } from '../naming';
import { Organisation } from './organisation';

export type InboundTrunkAuth = 'digest' | 'ip';
export type MediaSource = 'same_host' | 'any';

/** One per organisation. */
@Entity('inbound_trunks')
@Index('inbound_trunks_org', ['orgId'], { unique: true })
@Index('inbound_trunks_username', ['authUsername'], { unique: true })
@Index('inbound_trunks_version', ['version'])
export class InboundTrunk {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'inbound_trunks_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  authUsername!: string;

  @Column({ type: 'text' })
  authPasswordSealed!: string;

  /** The one before the last rotation, see `previousPasswordUntil`. */
  @Column({ type: 'text', nullable: true })
  previousPasswordSealed!: string | null;

  /** Until when it lets calls in too. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  previousPasswordUntil!: Date | null;

  /** E.164; each is a verified number of the organisation. */
  @Column({ type: 'text', array: true, default: () => "'{}'" })
  phoneNumbers!: string[];

  @Column({ type: 'boolean', default: true })
  krispEnabled!: boolean;

  /** How long nothing may come from the peer while the agent is silent too. */
  @Column({ type: 'integer', default: 30 })
  mediaTimeoutSeconds!: number;

  @Column({ type: 'text', default: 'digest' })
  auth!: InboundTrunkAuth;

  /** Networks that calls may come from, canonical; empty: from anywhere. Those of `ip` trunks: `InboundTrunkNetwork`. */
  @Column({ type: 'text', array: true, default: () => "'{}'" })
  ipAllowlist!: string[];

  @Column({ type: 'text', default: 'same_host' })
  mediaSource!: MediaSource;

  /** Best first; null: all, in the order of who offers them. */
  @Column({ type: 'text', array: true, nullable: true })
  codecs!: AudioCodec[] | null;

  /** How keys are pressed towards the peer. */
  @Column({ type: 'text', default: 'auto' })
  dtmfMode!: DtmfMode;

  @Column({ type: 'integer', nullable: true })
  maxConcurrentCalls!: number | null;

  @Column({ type: 'double precision', nullable: true })
  maxCallsPerSecond!: number | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  version!: number;
}
