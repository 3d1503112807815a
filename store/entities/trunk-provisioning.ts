import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CallDirection } from '../../contract/call';
import { bigintAsNumber } from '../naming';

/**
 * How far a trunk's latest version has come, for the workflow that confirms it. Written with the change itself, so that
 * whatever dies afterwards, the change is found; it outlives its trunk, and organisation, until every media node has dropped
 * that.
 */
@Entity('trunk_provisioning')
@Index('trunk_provisioning_due', ['dueAt'], { where: 'confirmed_version < version' })
export class TrunkProvisioning {
  @PrimaryColumn({ type: 'uuid' })
  trunkId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  direction!: CallDirection;

  /** Of the configuration that wrote, or removed, the trunk last. */
  @Column({ type: 'bigint', transformer: bigintAsNumber })
  version!: number;

  /** Every media node that lived then acts on it. */
  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  confirmedVersion!: number;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  confirmedAt!: Date | null;

  /** Its trunk was deleted. */
  @Column({ type: 'boolean', default: false })
  removed!: boolean;

  /** When the trunk's workflow is told, or told again, if the version is not confirmed by then. */
  @Column({ type: 'timestamptz', precision: 3 })
  dueAt!: Date;
}
