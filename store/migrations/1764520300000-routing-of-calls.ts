/**
 * Why an inbound call reached its agent (`Routing` of `contract/directory.ts`), and how a preview of it finds the numbers
 * that a dialled one may mean.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RoutingOfCalls1764520300000 implements MigrationInterface {
  readonly name = 'RoutingOfCalls1764520300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls ADD COLUMN routing jsonb');
    await runner.query(
      `CREATE INDEX phone_numbers_org_number ON phone_numbers (org_id, phone_number) WHERE status = 'verified'`,
    );
    await runner.query(
      `CREATE INDEX phone_numbers_ending ON phone_numbers (org_id, right(phone_number, 7)) WHERE status = 'verified'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX phone_numbers_ending');
    await runner.query('DROP INDEX phone_numbers_org_number');
    await runner.query('ALTER TABLE calls DROP COLUMN routing');
  }
}
