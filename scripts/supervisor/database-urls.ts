import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { API_ROLE, SYSTEM_ROLE } from '../../store/row-level-security';
import { readSecretFile } from '../process/secret-file';
import type { SupervisorConfig } from './config';

/** One database, three ways in: see `store/row-level-security.ts`. */
export interface DatabaseUrls {
  /** Migrates; no process of ours keeps it. */
  readonly owner: string;
  readonly api: string;
  /** Workers and media nodes. */
  readonly system: string;
}

export interface RoleLogin {
  readonly role: string;
  readonly password: string;
}

/** Of the embedded server: random passwords of its own in the data folder. */
export function roleLogins(dataDir: string): { readonly api: RoleLogin; readonly system: RoleLogin } {
  const login = (role: string, file: string): RoleLogin => ({
    role,
    password: readSecretFile(join(dataDir, file), () => randomBytes(24).toString('base64url')),
  });
  return { api: login(API_ROLE, 'postgres-api-password'), system: login(SYSTEM_ROLE, 'postgres-system-password') };
}

/** Of a server of the user's own: what is not named is the owner's. */
export function foreignUrls(owner: string, config: SupervisorConfig): DatabaseUrls {
  return { owner, api: config.apiDatabaseUrl ?? owner, system: config.systemDatabaseUrl ?? owner };
}

export function embeddedUrls(owner: string, logins: ReturnType<typeof roleLogins>): DatabaseUrls {
  return { owner, api: loginUrl(owner, logins.api), system: loginUrl(owner, logins.system) };
}

function loginUrl(owner: string, { role, password }: RoleLogin): string {
  const url = new URL(owner);
  url.username = role;
  url.password = password;
  return url.toString();
}
