import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSupervisorConfig } from '../../../../scripts/supervisor/config';
import { embeddedUrls, foreignUrls, roleLogins } from '../../../../scripts/supervisor/database-urls';

const OWNER = 'postgres://owner:secret@db.example:5433/trunkline';
const SECRETS_KEY = Buffer.alloc(32).toString('base64');

describe('the ways into the database', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'trunkline-database-urls-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  test('of the embedded server have passwords of their own, which stay and which only its user reads', () => {
    const urls = embeddedUrls(OWNER, roleLogins(dataDir));
    const [api, system] = [new URL(urls.api), new URL(urls.system)];
    expect([urls.owner, api.username, system.username]).toEqual([OWNER, 'trunkline_api', 'trunkline_system']);
    expect([api.host, api.pathname]).toEqual(['db.example:5433', '/trunkline']);
    expect(api.password).toMatch(/^[\w-]{32}$/);
    expect(new Set([api.password, system.password, 'secret']).size).toBe(3);
    expect(embeddedUrls(OWNER, roleLogins(dataDir))).toEqual(urls);
    for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  test("of a server of the user's own are those that were named, and the owner's for the rest", () => {
    const api = 'postgres://trunkline_api:a@db.example:5433/trunkline';
    const env = { DATABASE_URL: OWNER, API_DATABASE_URL: api, SECRETS_KEY };
    expect(foreignUrls(OWNER, readSupervisorConfig({ env, file: null }))).toEqual({ owner: OWNER, api, system: OWNER });
  });

  test('are not named without the one of the owner', () => {
    const env = { API_DATABASE_URL: OWNER, SYSTEM_DATABASE_URL: OWNER };
    expect(() => readSupervisorConfig({ env, file: null })).toThrow(
      /API_DATABASE_URL: needs.*\n.*SYSTEM_DATABASE_URL: needs/,
    );
  });
});
