/** `npm run test:soak`: the tests in the full size of which `npm test` runs a seeded sample. */
process.env.TEST_SOAK = '1';
if (process.argv.length === 2) process.argv.push('build', 'unit', 'integration', 'e2e');
await import('./test.mjs');
