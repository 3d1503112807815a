import type { MigrationInterface } from 'typeorm';
import { Initial1764000000000 } from './1764000000000-initial';

/** In order; a migration that was ever released is never changed. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [Initial1764000000000];
