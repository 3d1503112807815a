/** For TypeORM's command line (`migration:generate`): the database of `DATABASE_URL`. */
import { createDataSource } from './data-source';

const url = process.env['DATABASE_URL'];
if (!url) throw new Error('DATABASE_URL names the database that the entities are compared with');

export const migrationDataSource = createDataSource({ url, applicationName: 'trunkline-migrations', poolSize: 2 });
