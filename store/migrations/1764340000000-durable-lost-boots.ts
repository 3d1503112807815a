/** A boot of a media node that was declared lost is marked: coming back, it finds out before it does anything else. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DurableLostBoots1764340000000 implements MigrationInterface {
  readonly name = 'DurableLostBoots1764340000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE media_nodes ADD COLUMN lost_at timestamptz(3)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE media_nodes DROP COLUMN lost_at');
  }
}
