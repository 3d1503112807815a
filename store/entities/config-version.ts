import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../naming';

/**
 * The single counter of configuration changes. It is incremented by the last statement of a changing transaction, whose
 * row lock orders the commits: whoever reads version v sees every change up to v.
 */
@Entity('config_version')
@Check('config_version_single', 'id = 1')
export class ConfigVersion {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  @Column({ type: 'bigint', default: 0, transformer: bigintAsNumber })
  version!: number;
}
