import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The hours of the law by which a look was decided, and where the law said so then. */
export interface AppliedLaw {
  readonly rule: string;
  readonly source: string;
  readonly certainty: 'statute' | 'secondary';
  /** When it was last compared with its source. */
  readonly checked: string;
}

/** One check, as it stood at that instant. */
export interface StoredCheck {
  readonly check: string;
  readonly passed: boolean;
  /** For people. */
  readonly detail: string;
  /** Of the window; null: the campaign did not keep the legal hours. */
  readonly law?: AppliedLaw | null;
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
