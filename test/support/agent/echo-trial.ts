/** Seeded calls over a line that echoes: who speaks, what, how the echo comes back, and what became of it. */
import { splitSentences } from '../../../media/agent/turns/sentences';
import { ConversationSession } from '../../../media/agent/session';
import type { TextToSpeech } from '../../../media/agent/text-to-speech';
import type { VoiceActivityDetector } from '../../../media/agent/vad/voice-activity';
import { FakeClock, settle } from '../../fakes/fake-clock';
import { FakeResponder, FakeStt, RecordingDelegate, TEST_PERSONA } from '../../fakes/fake-speech';
import { SeededRandom } from '../live/random';
import { EchoLine } from './echo-line';
import type { Echo } from './echo-line';
import { spokenBy } from './text-to-speech-contract';

const FRAME_MS = 20;
/** After the last word: for echoes that are late, and turns that nobody took. */
const AFTERWARDS_MS = 2_500;
const VOICES = ['rms', 'slt', 'awb', 'kal', 'kal16'] as const;

export interface TrialConditions {
  readonly echo: Echo | null;
  readonly noiseDb: number;
  readonly law: 'PCMU' | 'PCMA';
  readonly agent: { readonly voice: string; readonly text: string };
  /** Says something after `afterMs` of the agent's speech. */
  readonly caller: {
    readonly voice: string;
    readonly text: string;
    readonly afterMs: number;
    /** Relative to the voice as it is. */
    readonly levelDb: number;
  } | null;
}

export interface TrialOutcome {
  /** The agent gave its sentence up: ms from the beginning of the caller's speech, or of the call. */
  readonly cutAfterMs: number | null;
  readonly callerTurns: number;
}

const OPENINGS = [
  'Our company was founded a long time ago in a small town by the sea',
  'Thank you for calling the Riverside dental practice',
  'Your parcel left our warehouse on Monday morning',
  'The next free appointment is on Thursday the fourteenth at half past two',
  'I have found three invoices under your name',
  'Please hold the line while I look for your booking',
  'We are open from nine to five on weekdays and from ten to one on Saturdays',
  'Before we begin I need to ask you a few short questions',
  'This month all of our garden furniture is sold at half its usual price',
  'The technician will ring your bell between eight and noon',
];
const ENDINGS = [
  'and since then we have been serving our customers with care and pleasure every day',
  'and you can change or cancel it at any time until the evening before',
  'so would you tell me, please, for how many people you would like to book',
  'but it has not been delivered yet because nobody was at home when we came',
  'which means that you will receive the rest of the money within ten days',
  'and if you need anything else I will be happy to help you with that too',
  'unless you would rather speak to one of my colleagues in the sales department',
];
const INTERRUPTIONS = [
  'Wait a moment, please.',
  'No, that is not what I asked for.',
  'Sorry, can I ask you something?',
  'Stop, I know all that already.',
  'Yes, that is right, go on.',
  'Excuse me, I only want to know the price.',
  'Hello? My name is Miller.',
  'I would like to speak to a person.',
];

/** An echo path of a line: one reflection after the other within some ms, each weaker. */
function response(random: SeededRandom): number[] {
  const spreadMs = random.pick([0, 0, 2, 4, 8]);
  if (spreadMs === 0) return [1];
  const taps = Array.from(
    { length: spreadMs * 8 },
    (_, i) => (random.next() * 2 - 1) * Math.exp((-4 * i) / (spreadMs * 8)),
  );
  taps[random.between(0, 6)] = 1.2;
  return taps;
}

export function echoConditions(
  seed: number,
  limits: { readonly loudestDb: number; readonly faintestDb: number },
): TrialConditions {
  const random = new SeededRandom(seed);
  return {
    echo: {
      levelDb: -random.between(-limits.loudestDb, -limits.faintestDb),
      delayMs: random.between(0, 4_000) / 8,
      response: response(random),
    },
    noiseDb: -random.between(55, 75),
    law: random.pick(['PCMU', 'PCMA']),
    agent: { voice: random.pick(VOICES), text: `${random.pick(OPENINGS)}, ${random.pick(ENDINGS)}.` },
    caller: null,
  };
}

/** Somebody cuts in; the echo, if any, is one of `levelDb`. */
export function bargeInConditions(seed: number, levelDb: number | null): TrialConditions {
  const base = echoConditions(seed, { loudestDb: -20, faintestDb: -20 });
  const random = new SeededRandom(seed + 7_919);
  const others = VOICES.filter((voice) => voice !== base.agent.voice);
  return {
    ...base,
    echo: base.echo && levelDb !== null ? { ...base.echo, levelDb } : null,
    caller: {
      voice: random.pick(others),
      text: random.pick(INTERRUPTIONS),
      afterMs: random.between(800, 3_500),
      levelDb: -random.between(0, 6),
    },
  };
}

export async function runTrial(
  conditions: TrialConditions,
  deps: { readonly detector: VoiceActivityDetector; readonly tts: TextToSpeech; readonly seed: number },
): Promise<TrialOutcome> {
  const { agent, caller, echo, law, noiseDb } = conditions;
  const random = new SeededRandom(deps.seed + 104_729);
  // Synthesised beforehand: a clock of its own waits for no process.
  let agentMs = 0;
  for (const sentence of splitSentences(agent.text))
    agentMs += (await spokenBy(deps.tts, sentence, agent.voice)).length / 8;
  const speech = caller && scaled(await spokenBy(deps.tts, caller.text, caller.voice), caller.levelDb);
  const line = new EchoLine({ detector: deps.detector, random: random.next, law, echo, noiseDb });
  const clock = new FakeClock();
  const stt = new FakeStt();
  stt.text = 'words';
  const responder = new FakeResponder();
  responder.silent = true;
  const delegate = new RecordingDelegate();
  const session = new ConversationSession(
    { clock, ears: line, tts: deps.tts, stt, responder, apology: null, onProblem: () => undefined },
    { ...TEST_PERSONA, firstMessage: agent.text, voiceId: agent.voice, silenceTimeoutMs: 60_000 },
    line,
    delegate,
  );
  line.onPlaybackFinished = (id) => session.onPlaybackFinished(id);
  await session.warm();
  session.start();
  await settle();
  const speechAtMs = caller?.afterMs ?? 0;
  const totalMs = agentMs + AFTERWARDS_MS + (echo?.delayMs ?? 0);
  for (let ms = 0; ms < totalMs && (line.clearedAt === null || !caller); ms += FRAME_MS) {
    if (speech && ms <= speechAtMs && speechAtMs < ms + FRAME_MS) line.say(speech);
    await clock.advance(FRAME_MS);
    await line.tick();
    await settle();
  }
  session.close();
  const onsetMs = speech ? Math.floor(speechAtMs / FRAME_MS) * FRAME_MS + onsetOf(speech) : 0;
  return {
    cutAfterMs: line.clearedAt === null ? null : line.clearedAt * FRAME_MS - onsetMs,
    callerTurns: delegate.turns.filter((turn) => turn.speaker === 'caller').length,
  };
}

function scaled(pcm: Int16Array, levelDb: number): Int16Array {
  return pcm.map((sample) => Math.round(sample * 10 ** (levelDb / 20)));
}

/** Where speech becomes audible, ms: voices begin with some silence. */
function onsetOf(speech: Int16Array): number {
  const loudest = speech.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  return speech.findIndex((sample) => Math.abs(sample) > loudest * 0.05) / 8;
}
