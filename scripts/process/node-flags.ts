/** What Node is told when a process of ours is started. */

/**
 * The API makes much garbage that dies at once: rows, views, texts of answers. In a larger young generation (megabytes for
 * each half) it is collected less often, with less of it still in use. And by one thread: little survives, and helpers cost
 * CPU that PostgreSQL on the same machine can use.
 */
export const API_FLAGS: readonly string[] = ['--max-semi-space-size=32', '--no-parallel-scavenge'];
