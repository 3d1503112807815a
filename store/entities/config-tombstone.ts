import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';

export type ConfigKind = 'agent' | 'inbound_trunk' | 'phone_number' | 'outbound_trunk';

/** A deleted configuration row, for those who load only what is above their version. */
@Entity('config_tombstones')
@Index('config_tombstones_version', ['version'])
export class ConfigTombstone {
  @PrimaryColumn({ type: 'text' })
  kind!: ConfigKind;

  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  version!: number;
}
