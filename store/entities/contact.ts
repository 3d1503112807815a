import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Organisation } from './organisation';

/** A person whom an organisation knows. */
@Entity('contacts')
// What was changed when stands in it too: rows of another time are passed over without being read.
@Index('contacts_org', ['orgId', 'createdAt', 'id', 'updatedAt'])
@Index('contacts_updated', ['orgId', 'updatedAt'])
@Index('contacts_phone_number', ['orgId', 'phoneNumber'])
export class Contact {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @ForeignKey(() => Organisation, { name: 'contacts_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'text', nullable: true })
  email!: string | null;

  /** E.164. */
  @Column({ type: 'text', nullable: true })
  phoneNumber!: string | null;

  @Column({ type: 'text', nullable: true })
  name!: string | null;

  @Column({ type: 'jsonb', default: {} })
  customData!: Record<string, unknown>;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
