import type { MigrationInterface } from 'typeorm';
import { Initial1764000000000 } from './1764000000000-initial';
import { IdempotencyAge1764000100000 } from './1764000100000-idempotency-age';
import { CallPrivacy1764000200000 } from './1764000200000-call-privacy';

/** In order; a migration that was ever released is never changed. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [
  Initial1764000000000,
  IdempotencyAge1764000100000,
  CallPrivacy1764000200000,
];
