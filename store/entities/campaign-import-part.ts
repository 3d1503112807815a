import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RowRefusal } from '../../contract/campaigns';

/** A row that was not accepted. */
export interface RefusedRow {
  /** As a spreadsheet counts: the header is row 1. In JSON the first contact is 1. */
  readonly row: number;
  /** As it was given. */
  readonly phoneNumber: string | null;
  readonly result: RowRefusal;
  readonly reason: string;
}

/** What one batch of an import did not accept. */
@Entity('campaign_import_parts')
export class CampaignImportPart {
  @PrimaryColumn({ type: 'uuid' })
  importId!: string;

  @PrimaryColumn({ type: 'integer' })
  part!: number;

  @Column({ type: 'uuid' })
  orgId!: string;

  @Column({ type: 'jsonb' })
  rows!: RefusedRow[];
}
