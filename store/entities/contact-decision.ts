import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One check, as it stood at that instant. */
export interface StoredCheck {
  readonly check: string;
  readonly passed: boolean;
  /** For people. */
  readonly detail: string;
}

/** Why a contact was called, or not, at an instant: what was checked and with which result. */
@Entity('contact_decisions')
@Index('contact_decisions_contact', ['campaignId', 'contactId', 'at', 'id'])
export class ContactDecision {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'uuid' })
  campaignId!: string;

  @Column({ type: 'uuid' })
  contactId!: string;

  /** Null: no call was begun for it. */
  @Column({ type: 'uuid', nullable: true })
  callId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;

  @Column({ type: 'boolean' })
  dialled!: boolean;

  @Column({ type: 'jsonb' })
  checks!: readonly StoredCheck[];
}
