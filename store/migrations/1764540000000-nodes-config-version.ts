/** Which version of the configuration a media node acts on. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NodesConfigVersion1764540000000 implements MigrationInterface {
  readonly name = 'NodesConfigVersion1764540000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE media_nodes ADD COLUMN config_version bigint NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE media_nodes DROP COLUMN config_version');
  }
}
