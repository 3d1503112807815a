import { runCli } from './program';

// Whoever read our output (`head`) may go first: then nobody is left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

void runCli(process.argv.slice(2), process).then((code) => (process.exitCode = code));
