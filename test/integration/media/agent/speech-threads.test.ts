/** What happens when a thread dies, and where the optional runtime is missing. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';
import { MoonshineStt } from '../../../../media/agent/providers/moonshine/moonshine-stt';
import { SpeechListener } from '../../../../media/agent/vad/speech-listener';
import type { VadEvent } from '../../../../media/agent/vad/voice-activity';
import type { AudioBatch } from '../../../../media/audio/audio-batch';
import { threadEntry } from '../../../../media/thread-entry';
import { spokenBy } from '../../../support/agent/text-to-speech-contract';

async function speechOf(text: string): Promise<Int16Array> {
  const tts = new FliteTts();
  await tts.start();
  try {
    return await spokenBy(tts, text);
  } finally {
    await tts.close();
  }
}

test('a speech thread that dies is replaced, and calls under way are heard again', async () => {
  let told: () => void = () => undefined;
  const replaced = new Promise<void>((resolve) => (told = resolve));
  const listener = new SpeechListener({ onReplaced: () => told() });
  await listener.start();
  const events: VadEvent[] = [];
  listener.open(5, (event) => events.push(event));
  // No batch at all: the thread fails at it.
  listener.audioPort().postMessage(null);
  await replaced;
  const next = listener.audioPort();
  const speech = await speechOf('Can you hear me now?');
  for (let at = 0; at + 160 <= speech.length; at += 160)
    next.postMessage({
      mediaIds: Uint32Array.of(5),
      pcm: speech.slice(at, at + 160),
      received: Uint8Array.of(1),
      sent: new Int16Array(160),
    } satisfies AudioBatch);
  const deadline = Date.now() + 5_000;
  while (events.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(events[0]).toMatchObject({ type: 'speech_start', mediaId: 5 });
  expect(listener.detector).toBe('silero-v6');
  await listener.close();
}, 20_000);

test('a conversation that fails at its event keeps no other from its own', async () => {
  const faults: unknown[] = [];
  const listener = new SpeechListener({ onFault: (error) => faults.push(error) });
  await listener.start();
  const events: VadEvent[] = [];
  listener.open(5, () => {
    throw new Error('conversation');
  });
  listener.open(6, (event) => events.push(event));
  const speech = await speechOf('Can you hear me now?');
  const port = listener.audioPort();
  for (let at = 0; at + 160 <= speech.length; at += 160) {
    const frame = speech.slice(at, at + 160);
    const pcm = Int16Array.from([...frame, ...frame]);
    port.postMessage({
      mediaIds: Uint32Array.of(5, 6),
      pcm,
      received: Uint8Array.of(1, 1),
      sent: new Int16Array(320),
    } satisfies AudioBatch);
  }
  const deadline = Date.now() + 5_000;
  while (events.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(events[0]).toMatchObject({ type: 'speech_start', mediaId: 6 });
  expect(faults[0]).toMatchObject({ message: 'conversation' });
  await listener.close();
}, 20_000);

test('closing in the middle of a recognition rejects it and leaves the process alive', async () => {
  const stt = new MoonshineStt();
  const [speech] = await Promise.all([speechOf('What are your opening hours, and where are you?'), stt.start()]);
  const results = [1, 2, 3].map(() => stt.transcribe(speech, { keyterms: [] }));
  const settled = Promise.allSettled(results);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await stt.close();
  expect((await settled).map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
  await expect(stt.transcribe(speech, { keyterms: [] })).rejects.toMatchObject({ code: 'unavailable' });
}, 20_000);

test('a recogniser that hangs is replaced, and what waited behind it is heard', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-hung-'));
  try {
    // Takes a batch and is never heard of again.
    const entry = join(folder, 'hung.js');
    await writeFile(
      entry,
      `const { parentPort } = require('node:worker_threads');
       parentPort.on('message', (message) => {
         if (message.type === 'stop') process.exit(0);
         if (message.jobs[0].pcm.length !== 1000) return;
         parentPort.postMessage({ type: 'done', id: message.jobs[0].id, text: 'heard', confidence: 1 });
       });
       parentPort.postMessage({ type: 'ready' });`,
    );
    const causes: string[] = [];
    const stt = new MoonshineStt({
      threads: 1,
      onRestart: (cause) => causes.push(cause),
      thread: { entry, jobTimeoutMs: 100, hungAfterMs: 100 },
    });
    await stt.start();
    const hung = stt.transcribe(new Int16Array(20_000), { keyterms: [] });
    const behind = stt.transcribe(new Int16Array(1_000), { keyterms: [] });
    await expect(hung).rejects.toMatchObject({ code: 'timeout' });
    expect(await behind).toMatchObject({ text: 'heard' });
    expect(causes).toEqual(['hangs']);
    await stt.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 20_000);

test('more utterances than can be heard in time are refused at once', async () => {
  const stt = new MoonshineStt({ threads: 1 });
  await stt.start();
  const said = Array.from({ length: 60 }, () => stt.transcribe(new Int16Array(8_000), { keyterms: [] }));
  const settled = await Promise.allSettled(said);
  const refused = settled.filter(({ status }) => status === 'rejected').length;
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(60 - 32);
  await stt.close();
}, 30_000);

test('without onnxruntime the energy detector is used and named, and recognition says that it is unavailable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-no-onnx-'));
  try {
    const media = dirname(
      dirname(dirname(threadEntry(join(__dirname, '../../../../media/agent/vad'), 'speech-thread'))),
    );
    for (const built of [media, join(dirname(media), 'ops')]) {
      await cp(built, join(folder, basename(built)), { recursive: true });
    }
    const script = `
      const { SpeechListener } = require('./media/agent/vad/speech-listener.js');
      const { MoonshineStt } = require('./media/agent/providers/moonshine/moonshine-stt.js');
      (async () => {
        const listener = new SpeechListener();
        await listener.start();
        const stt = await new MoonshineStt().start().then(() => 'started', (error) => error.code);
        console.log(JSON.stringify({ detector: listener.detector, stt }));
        await listener.close();
        process.exit(0);
      })();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder });
    const result = JSON.parse(stdout) as { detector: string; stt: string };
    expect(result.detector).toMatch(/^energy \(fallback: .*onnxruntime-node/s);
    expect(result.stt).toBe('unavailable');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 20_000);
