/** Child process: synthesises one sentence after the other and sends its speech back at the graph's rate. */
import { setPriority } from 'node:os';
import { GRAPH_RATE_HZ } from '../../../audio/frame';
import { halveRate } from '../../../audio/half-band';
import { trimSpeech } from '../../speech-trim';
import { FliteProgram } from './flite-program';
import type { FliteJob, FliteReply } from './messages';

/** Behind signalling and packets, which share the cores. */
const NICENESS = 2;

function reply(message: FliteReply): void {
  process.send?.(message);
}

function perform(program: FliteProgram, job: FliteJob): void {
  try {
    const { sampleRateHz, pcm } = program.synthesise(job.voice, job.text, job.durationStretch);
    const narrow = sampleRateHz === 2 * GRAPH_RATE_HZ ? halveRate(pcm) : pcm;
    reply({ type: 'done', id: job.id, pcm: trimSpeech(narrow) });
  } catch (error) {
    reply({ type: 'failed', id: job.id, message: error instanceof Error ? error.message : 'unknown error' });
  }
  setImmediate(() => program.prepare());
}

async function main(): Promise<void> {
  try {
    setPriority(NICENESS);
  } catch {
    // Not allowed everywhere; speech is then synthesised at the ordinary priority.
  }
  // The parent ends it, or its own death does; a signal to the whole process group must not take speech away from calls
  // that are still closing.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(0));
  const program = await FliteProgram.load();
  process.on('message', (job: FliteJob) => perform(program, job));
  reply({ type: 'ready', voices: program.voiceNames() });
  program.prepare();
}

void main();
