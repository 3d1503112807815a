import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What an organisation may use; null or absent = no limit. */
export interface OrganisationLimits {
  readonly concurrentCalls?: number | null;
  readonly callsPerSecond?: number | null;
  readonly dailyMinutes?: number | null;
  /** ISO country codes that may be called. */
  readonly allowedCountries?: readonly string[] | null;
}

@Entity('organisations')
@Index('organisations_created', ['createdAt', 'id'])
export class Organisation {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  /** Since when its keys are refused and its trunks carry no new calls. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  suspendedAt!: Date | null;

  @Column({ type: 'jsonb', default: () => "'{}'" })
  limits!: OrganisationLimits;
}
