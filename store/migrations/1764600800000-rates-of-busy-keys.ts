/**
 * What the keys have used is counted with every request, which waited for the disk by it. After a crash of PostgreSQL the
 * table is empty, and every key has its whole minute again. A key that asks often may pay for several requests at once.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ADMIT, replaceAdmit } from './1764600700000-speed-of-requests';

const ONE = 'admit_api_key(text, integer, boolean)';
const SEVERAL = 'admit_api_key(text, integer, boolean, integer)';

const ADMIT_SEVERAL = ADMIT.replace(
  'of_streams boolean DEFAULT false)',
  'of_streams boolean DEFAULT false, requests integer DEFAULT 1)',
).replace("* interval '1 microsecond'", "* requests * interval '1 microsecond'");

export class RatesOfBusyKeys1764600800000 implements MigrationInterface {
  readonly name = 'RatesOfBusyKeys1764600800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_key_rates SET UNLOGGED');
    await replaceAdmit(runner, ONE, ADMIT_SEVERAL, SEVERAL);
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceAdmit(runner, SEVERAL, ADMIT, ONE);
    await runner.query('ALTER TABLE api_key_rates SET LOGGED');
  }
}
