import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * One dial of a call = one SIP Call-ID. intended → sent → finished; intended → not_sent (no INVITE left);
 * intended | sent → uncertain (an INVITE may have left, nobody knows): counted, never dialled again by itself.
 */
export type AttemptState = 'intended' | 'sent' | 'uncertain' | 'finished' | 'not_sent';

@Entity('call_attempts')
@Index('call_attempts_call', ['callId', 'n'], { unique: true })
export class CallAttempt {
  @PrimaryColumn({ type: 'uuid' })
  attemptId!: string;

  @Column({ type: 'uuid' })
  callId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'integer' })
  n!: number;

  @Column({ type: 'text' })
  state!: AttemptState;

  @Column({ type: 'text' })
  sipCallId!: string;

  @Column({ type: 'text' })
  nodeId!: string;

  @Column({ type: 'text' })
  bootId!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  /** Since when the call had waited for room when it was admitted: of an attempt that is not sent its next one has this place. */
  @Column({ type: 'timestamptz', nullable: true })
  queuedAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  sentAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  finishedAt!: Date | null;
}
