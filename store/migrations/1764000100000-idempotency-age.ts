/** Old keys are found without reading all of them. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IdempotencyAge1764000100000 implements MigrationInterface {
  readonly name = 'IdempotencyAge1764000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX idempotency_keys_created');
  }
}
