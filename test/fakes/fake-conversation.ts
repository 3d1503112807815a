/** A conversation on fakes, with a clock, a line and a caller that speaks in 32 ms windows like the real detector. */
import type { AgentPersona } from '../../media/agent/agent-session';
import { ConversationSession } from '../../media/agent/session';
import { FakeClock, settle } from './fake-clock';
import {
  FakeCallAudio,
  FakeEars,
  FakeResponder,
  FakeStt,
  FakeTts,
  RecordingDelegate,
  TEST_PERSONA,
} from './fake-speech';

const STEP_MS = 20;
const WINDOW_MS = 32;

export class FakeConversation {
  readonly clock = new FakeClock();
  readonly audio = new FakeCallAudio();
  readonly ears = new FakeEars();
  readonly tts = new FakeTts();
  readonly stt = new FakeStt();
  readonly responder = new FakeResponder();
  readonly delegate = new RecordingDelegate();
  readonly problems: unknown[] = [];
  readonly session: ConversationSession;

  constructor(persona: Partial<AgentPersona> = {}, options: { stt?: null; apology?: Int16Array | null } = {}) {
    this.session = new ConversationSession(
      {
        clock: this.clock,
        ears: this.ears,
        tts: this.tts,
        stt: options.stt === null ? null : this.stt,
        responder: this.responder,
        apology: options.apology === undefined ? new Int16Array(8000) : options.apology,
        onProblem: (error) => this.problems.push(error),
      },
      { ...TEST_PERSONA, ...persona },
      this.audio,
      this.delegate,
    );
    this.audio.onFinished = (id) => this.session.onPlaybackFinished(id);
  }

  async answered(): Promise<void> {
    await this.session.warm();
    this.session.start();
    await settle();
  }

  /** Time passes; the line plays what is queued. */
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      const step = Math.min(STEP_MS, left);
      await this.clock.advance(step);
      this.audio.advance(step);
      await settle();
    }
  }

  /** The peer puts us on hold, or resumes. */
  async hold(held: boolean): Promise<void> {
    this.audio.held = held;
    this.session.hold(held);
    await settle();
  }

  /** Until the agent has nothing left to say. */
  async untilSpoken(): Promise<void> {
    await settle();
    for (let i = 0; i < 3000 && (this.audio.playing || this.responder.answering); i++) await this.wait(STEP_MS);
    await settle();
  }

  /** The caller speaks for `ms`; the last event leaves them speaking. */
  async speak(ms: number, text = 'hello there'): Promise<void> {
    this.stt.text = text;
    for (let speechMs = 2 * WINDOW_MS; speechMs <= ms; speechMs += WINDOW_MS) {
      await this.wait(speechMs === 2 * WINDOW_MS ? 2 * WINDOW_MS : WINDOW_MS);
      const type = speechMs === 2 * WINDOW_MS ? 'speech_start' : 'speech_continues';
      if (type === 'speech_start') this.ears.emit({ type, mediaId: 7, atSample: 0, speechMs });
      else this.ears.emit({ type, mediaId: 7, speechMs });
      await settle();
    }
  }

  /** The caller is silent for `ms` after `speechMs` of speech. */
  async pause(ms: number, speechMs = 1000): Promise<void> {
    for (let silenceMs = WINDOW_MS; silenceMs <= ms; silenceMs += WINDOW_MS) {
      await this.wait(WINDOW_MS);
      if (silenceMs <= 2000) this.ears.emit({ type: 'pause', mediaId: 7, silenceMs, speechMs });
      await settle();
      await settle();
    }
  }

  async say(text: string, ms = 1000): Promise<void> {
    await this.speak(ms, text);
    await this.pause(850, ms);
  }
}
