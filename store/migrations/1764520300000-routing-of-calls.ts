/** Why an inbound call reached its agent: `Routing` of `contract/directory.ts`. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RoutingOfCalls1764520300000 implements MigrationInterface {
  readonly name = 'RoutingOfCalls1764520300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls ADD COLUMN routing jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls DROP COLUMN routing');
  }
}
