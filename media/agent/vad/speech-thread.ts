/** Worker thread: caller audio of all calls from the RTP thread, voice activity to the main thread. */
import { parentPort } from 'node:worker_threads';
import type { AudioBatch } from '../../audio/audio-batch';
import { FRAME_MS, GRAPH_FRAME_SAMPLES } from '../../audio/frame';
import { EnergyDetector } from './energy-detector';
import type { SpeechCommand, SpeechReport } from './messages';
import { SileroDetector } from './silero-detector';
import { SpeechAnalyser } from './speech-analyser';
import type { VoiceActivityDetector } from './voice-activity';

function report(message: SpeechReport, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function obey(analyser: SpeechAnalyser<unknown>, command: SpeechCommand): void {
  switch (command.type) {
    case 'audio':
      command.port.on('message', (batch: AudioBatch) => void analyser.push(batch));
      return;
    case 'stop':
      return process.exit(0);
    case 'open':
      return analyser.open(command.mediaId);
    case 'close':
      return analyser.close(command.mediaId);
    case 'commit':
      return analyser.commit(command.mediaId);
    case 'utterance': {
      const pcm = analyser.utterance(command.mediaId);
      return report({ type: 'utterance', requestId: command.requestId, pcm }, [pcm.buffer as ArrayBuffer]);
    }
  }
}

/** A second of silence of one call that nobody waits for: the first caller does not meet code that never ran. */
async function rehearse(detector: VoiceActivityDetector): Promise<void> {
  const analyser = new SpeechAnalyser(detector, () => undefined);
  analyser.open(0);
  const silence = new Int16Array(GRAPH_FRAME_SAMPLES);
  for (let frame = 0; frame < 1000 / FRAME_MS; frame++) {
    await analyser.push({
      mediaIds: Uint32Array.of(0),
      pcm: silence,
      received: Uint8Array.of(1),
      sent: silence,
    });
  }
}

async function main(): Promise<void> {
  let detector: VoiceActivityDetector;
  let fallbackBecause: string | null = null;
  try {
    const silero = await SileroDetector.load();
    await rehearse(silero as VoiceActivityDetector);
    detector = silero as VoiceActivityDetector;
  } catch (error) {
    fallbackBecause = error instanceof Error ? error.message : 'unknown error';
    detector = new EnergyDetector() as VoiceActivityDetector;
  }
  const analyser = new SpeechAnalyser(detector, (events) => report({ type: 'events', events }));
  parentPort?.on('message', (command: SpeechCommand) => obey(analyser, command));
  report({ type: 'ready', detector: detector.name, fallbackBecause });
}

void main();
