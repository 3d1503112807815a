/** Makes sure that there is a Temporal server to start, which may mean to build one, and prints where it is. */
import { findTemporal } from './temporal/executable';

findTemporal({ cliPath: process.env['TEMPORAL_CLI_PATH'], progress: (message) => console.log(message) }).then(
  (path) => console.log(path),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
