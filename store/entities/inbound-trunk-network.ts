import { Column, Entity, Exclusion, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { InboundTrunk } from './inbound-trunk';
import { Organisation } from './organisation';

/** Whose calls come from a network without credentials: it is one trunk's alone, whatever organisation has it. */
@Entity('inbound_trunk_networks')
@Index('inbound_trunk_networks_org', ['orgId'])
@Exclusion('inbound_trunk_networks_disjoint', 'USING gist (network inet_ops WITH &&)')
export class InboundTrunkNetwork {
  @ForeignKey(() => InboundTrunk, { name: 'inbound_trunk_networks_trunk_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  trunkId!: string;

  @PrimaryColumn({ type: 'cidr' })
  network!: string;

  @ForeignKey(() => Organisation, { name: 'inbound_trunk_networks_org_fk' })
  @Column({ type: 'uuid' })
  orgId!: string;
}
