/**
 * A campaign's call is admitted with the row of its contact locked: of the end of a call and a dial that comes late, from a
 * node that stood still, one sees what the other has stored.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CAMPAIGN_CAPACITY_FUNCTIONS } from './1764601710000-campaign-calls';

const NAME = 'take_campaign_capacity';
const BEHIND_LOCKS = '      PERFORM lock_capacity(of_trunk, of_org, of_campaign);\n';
const AND_THE_CONTACT = '      PERFORM FROM campaign_contacts WHERE id = of_contact FOR SHARE;\n';

export class AdmittedContacts1764601740000 implements MigrationInterface {
  readonly name = 'AdmittedContacts1764601740000';

  async up(runner: QueryRunner): Promise<void> {
    await define(runner, withContactLocked);
  }

  async down(runner: QueryRunner): Promise<void> {
    await define(runner, (_, body) => body);
  }
}

/** A function of the ledger as it is from here on. */
export const withContactLocked = (signature: string, body: string): string =>
  signature.startsWith(`${NAME}(`) ? body.replace(BEHIND_LOCKS, BEHIND_LOCKS + AND_THE_CONTACT) : body;

async function define(runner: QueryRunner, changed: typeof withContactLocked): Promise<void> {
  for (const [signature, body] of CAMPAIGN_CAPACITY_FUNCTIONS) {
    if (signature.startsWith(`${NAME}(`))
      await runner.query(`CREATE OR REPLACE FUNCTION ${signature} ${changed(signature, body)}`);
  }
}
