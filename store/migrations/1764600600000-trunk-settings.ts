/** What else trunks are told: who may call, in which form, how much, and where to. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const ADDED = {
  inbound_trunks: {
    auth: `text NOT NULL DEFAULT 'digest'`,
    ip_allowlist: `text[] NOT NULL DEFAULT '{}'`,
    media_source: `text NOT NULL DEFAULT 'same_host'`,
    codecs: 'text[]',
    max_concurrent_calls: 'integer',
    max_calls_per_second: 'double precision',
  },
  outbound_trunks: {
    caller_numbers: `text[] NOT NULL DEFAULT '{}'`,
    gateways: `jsonb NOT NULL DEFAULT '[]'`,
    codecs: 'text[]',
    max_concurrent_calls: 'integer',
    max_calls_per_second: 'double precision',
    number_format: `text NOT NULL DEFAULT 'e164'`,
    number_prefix: `text NOT NULL DEFAULT ''`,
    from_host: 'text',
    headers: `jsonb NOT NULL DEFAULT '{}'`,
    pass_caller_id: 'boolean NOT NULL DEFAULT false',
    transport_strict: 'boolean NOT NULL DEFAULT false',
    allowed_countries: 'text[]',
  },
} as const;

export class TrunkSettings1764600600000 implements MigrationInterface {
  readonly name = 'TrunkSettings1764600600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(ADDED)) {
      const added = Object.entries(columns).map(([column, type]) => `ADD COLUMN ${column} ${type}`);
      await runner.query(`ALTER TABLE ${table} ${added.join(', ')}`);
    }
    await runner.query(`CREATE TABLE inbound_trunk_networks (
      trunk_id uuid NOT NULL,
      network cidr NOT NULL,
      org_id uuid NOT NULL,
      CONSTRAINT inbound_trunk_networks_pk PRIMARY KEY (trunk_id, network),
      CONSTRAINT inbound_trunk_networks_trunk_fk FOREIGN KEY (trunk_id) REFERENCES inbound_trunks (id) ON DELETE CASCADE,
      CONSTRAINT inbound_trunk_networks_org_fk FOREIGN KEY (org_id) REFERENCES organisations (id),
      CONSTRAINT inbound_trunk_networks_disjoint EXCLUDE USING gist (network inet_ops WITH &&))`);
    await runner.query('CREATE INDEX inbound_trunk_networks_org ON inbound_trunk_networks (org_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbound_trunk_networks');
    for (const [table, columns] of Object.entries(ADDED)) {
      const dropped = Object.keys(columns).map((column) => `DROP COLUMN ${column}`);
      await runner.query(`ALTER TABLE ${table} ${dropped.join(', ')}`);
    }
  }
}
