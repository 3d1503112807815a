import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Agent } from './agent';
import { TransferDestination } from './transfer-destination';

/** Which agent may transfer where. */
@Entity('agent_transfer_destinations')
@Index('agent_transfer_destinations_destination', ['destinationId'])
@Index('agent_transfer_destinations_keypad', ['agentId', 'keypad'], { unique: true })
export class AgentTransferDestination {
  @ForeignKey(() => Agent, { name: 'agent_transfer_destinations_agent_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  agentId!: string;

  @ForeignKey(() => TransferDestination, { name: 'agent_transfer_destinations_destination_fk', onDelete: 'CASCADE' })
  @PrimaryColumn({ type: 'uuid' })
  destinationId!: string;

  @Column({ type: 'uuid' })
  orgId!: string;

  /** "0" to "9": whoever presses it gets there. */
  @Column({ type: 'text', nullable: true })
  keypad!: string | null;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
