import type { MigrationInterface } from 'typeorm';

/** In order; a migration that was ever released is never changed. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [];
