import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { TransferMode } from '../../contract/transfers';
import { Organisation } from './organisation';

export type TransferTargetType = 'phone' | 'sip';

/** Where an agent may send its caller: people at a number or at a SIP URI. */
@Entity('transfer_destinations')
@Index('transfer_destinations_org', ['orgId', 'createdAt', 'id'])
export class TransferDestination {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'transfer_destinations_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  type!: TransferTargetType;

  /** An E.164 number, or a SIP URI. */
  @Column({ type: 'text' })
  value!: string;

  @Column({ type: 'text', default: 'auto' })
  mode!: TransferMode;

  @Column({ type: 'integer', default: 30 })
  ringTimeoutSeconds!: number;

  /** What the person hears before the caller. */
  @Column({ type: 'text', nullable: true })
  announce!: string | null;

  @Column({ type: 'text', nullable: true })
  username!: string | null;

  @Column({ type: 'text', nullable: true })
  passwordSealed!: string | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
