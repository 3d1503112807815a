import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Organisation } from './organisation';

/** Code calls of the last hour, by which their rate is limited; it outlives the number's record. */
@Entity('number_code_calls')
@Index('number_code_calls_org', ['orgId', 'at'])
export class NumberCodeCall {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'number_code_calls_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text' })
  phoneNumber!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  at!: Date;
}
