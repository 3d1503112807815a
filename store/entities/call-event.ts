import { Column, Entity, PrimaryColumn } from 'typeorm';

export type EventSource = 'node' | 'workflow';

/** The timeline of a call. No foreign key: a node's events may arrive before the call's row. */
@Entity('call_events')
export class CallEventRow {
  @PrimaryColumn({ type: 'uuid' })
  callId!: string;

  /** The media node and the call's workflow count for themselves, each from 1 without gaps. */
  @PrimaryColumn({ type: 'text' })
  source!: EventSource;

  @PrimaryColumn({ type: 'integer' })
  seq!: number;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at!: Date;

  @Column({ type: 'text' })
  type!: string;

  @Column({ type: 'jsonb', default: () => "'{}'" })
  data!: Record<string, unknown>;
}
