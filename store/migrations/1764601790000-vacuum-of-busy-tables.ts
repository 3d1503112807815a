/**
 * Small tables whose rows change with every call. By default a table is looked at once a fifth of it is dead, and fifty rows more;
 * of these all are dead within seconds, and each look at the ledger goes through them.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const BUSY = [
  'capacity_leases',
  'capacity_queue',
  'trunk_capacity',
  'organisation_capacity',
  'campaign_capacity',
  'campaign_tallies',
  'campaign_call_tallies',
] as const;
const SETTINGS = {
  autovacuum_vacuum_scale_factor: 0,
  autovacuum_vacuum_threshold: 200,
  autovacuum_vacuum_insert_threshold: -1,
  autovacuum_vacuum_cost_delay: 0,
} as const;

export class VacuumOfBusyTables1764601790000 implements MigrationInterface {
  readonly name = 'VacuumOfBusyTables1764601790000';

  async up(runner: QueryRunner): Promise<void> {
    const settings = Object.entries(SETTINGS).map(([name, value]) => `${name} = ${value}`);
    for (const table of BUSY) await runner.query(`ALTER TABLE ${table} SET (${settings.join(', ')})`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of BUSY) await runner.query(`ALTER TABLE ${table} RESET (${Object.keys(SETTINGS).join(', ')})`);
  }
}
