import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('transcript_turns')
export class TranscriptTurnRow {
  @PrimaryColumn({ type: 'uuid' })
  callId!: string;

  @PrimaryColumn({ type: 'integer' })
  index!: number;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  speaker!: 'agent' | 'caller';

  /** Sealed, see `turn-text.ts`. */
  @Column({ type: 'text' })
  text!: string;

  /** Milliseconds since the answer, as are the next two. */
  @Column({ type: 'integer' })
  startMs!: number;

  @Column({ type: 'integer' })
  endMs!: number;

  @Column({ type: 'integer', nullable: true })
  interruptedAtMs!: number | null;
}
