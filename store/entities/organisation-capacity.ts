import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { Organisation } from './organisation';

/** When the next INVITE of an organisation with limits may leave over any of its outbound trunks. */
@Entity('organisation_capacity')
export class OrganisationCapacity {
  @ForeignKey(() => Organisation, { name: 'organisation_capacity_org_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'timestamptz', default: '-infinity' })
  nextAt!: Date;
}
