/** Speech providers, a call's audio and its listener, as a conversation sees them; the test plays the caller. */
import type { OptOutWay } from '../../contract/events';
import type { TransferWish } from '../../contract/transfers';
import type { AgentDelegate, AgentPersona, CallAudio, SpokenTurn } from '../../media/agent/agent-session';
import type { ChatMessage, Responder, ResponderEvent } from '../../media/agent/responder/responder';
import type { SpeechToText, SttOptions, SttResult } from '../../media/agent/speech-to-text';
import type { TextToSpeech, TtsRequest, Voice } from '../../media/agent/text-to-speech';
import type { CallerAudio, CallerAudioSource } from '../../media/agent/vad/speech-listener';
import type { VadEvent } from '../../media/agent/vad/voice-activity';

export const SAMPLES_PER_CHARACTER = 480;

export const TEST_PERSONA: AgentPersona = {
  callId: 'call-1',
  agentName: 'Ada',
  language: ['en'],
  firstMessage: 'Hello. How can I help you today?',
  instructions: ['Our opening hours are nine to five on weekdays.'],
  voiceId: null,
  ttsSpeedPct: 100,
  interruptible: true,
  silenceTimeoutMs: 10_000,
};

/** 60 ms of sound per character, in one chunk, at once; or a failure, while `failing`. */
export class FakeTts implements TextToSpeech {
  readonly name = 'fake';
  failing = false;
  readonly asked: string[] = [];

  voices(): readonly Voice[] {
    return [{ id: 'fake', name: 'Fake', language: ['en'], gender: 'unknown' }];
  }

  async *synthesise(request: TtsRequest): AsyncGenerator<Int16Array> {
    this.asked.push(request.text);
    request.signal?.throwIfAborted();
    await Promise.resolve();
    if (this.failing) throw new Error('no voice');
    yield new Int16Array(request.text.length * SAMPLES_PER_CHARACTER).fill(1000);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Recognises what the test said last; counts what was asked and aborted. */
export class FakeStt implements SpeechToText {
  readonly name = 'fake';
  text = '';
  failing = false;
  asked = 0;
  aborted = 0;

  transcribe(_audio: Int16Array, { signal }: SttOptions): Promise<SttResult> {
    this.asked++;
    const { text, failing } = this;
    if (signal?.aborted) return Promise.reject(new Error('aborted'));
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        this.aborted++;
        reject(new Error('aborted'));
      });
      void Promise.resolve().then(() => {
        if (failing) reject(new Error('no recogniser'));
        else resolve({ text, confidence: 1 });
      });
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Answers with what the test set; remembers the context it was given. */
export class FakeResponder implements Responder {
  readonly name = 'fake';
  answer: readonly ResponderEvent[] = [{ type: 'text', delta: 'All right.' }];
  failing = false;
  /** Never says anything. */
  silent = false;
  readonly asked: (readonly ChatMessage[])[] = [];
  readonly personas: AgentPersona[] = [];
  aborted = 0;
  #answering = 0;

  /** It has been asked and has not said all of its answer yet. */
  get answering(): boolean {
    return this.#answering > 0;
  }

  async *respond(request: Parameters<Responder['respond']>[0]): AsyncGenerator<ResponderEvent> {
    this.asked.push(request.history);
    this.personas.push(request.persona);
    request.signal.throwIfAborted();
    request.signal.addEventListener('abort', () => this.aborted++);
    this.#answering++;
    try {
      await Promise.resolve();
      if (this.failing) throw new Error('no answer');
      if (this.silent)
        await new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('aborted'))));
      yield* this.answer;
    } finally {
      this.#answering--;
    }
  }
}

interface Playback {
  readonly id: number;
  samples: number;
  sent: number;
  last: boolean;
}

/** Plays in the time of the test's clock: call `advance` as it moves. */
export class FakeCallAudio implements CallAudio {
  readonly mediaId = 7;
  readonly gains: number[] = [];
  readonly playedIds: number[] = [];
  cleared = 0;
  /** The line is on hold: nothing leaves. */
  held = false;
  onFinished: (playbackId: number) => void = () => undefined;
  readonly #playbacks: Playback[] = [];

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    let playback = this.#playbacks.find((candidate) => candidate.id === playbackId);
    if (!playback) {
      playback = { id: playbackId, samples: 0, sent: 0, last: false };
      this.#playbacks.push(playback);
      this.playedIds.push(playbackId);
    }
    playback.samples += pcm.length;
    playback.last = last;
  }

  clear(): Promise<ReadonlyMap<number, number>> {
    this.cleared++;
    const sent = new Map(this.#playbacks.map((playback) => [playback.id, playback.sent]));
    this.#playbacks.length = 0;
    return Promise.resolve(sent);
  }

  setGain(gain: number): void {
    this.gains.push(gain);
  }

  get playing(): boolean {
    return this.#playbacks.length > 0;
  }

  /** Sends `ms` of what is queued. */
  advance(ms: number): void {
    if (this.held) return;
    let samples = ms * 8;
    for (;;) {
      const playback = this.#playbacks[0];
      if (!playback) return;
      const sent = Math.min(samples, playback.samples - playback.sent);
      playback.sent += sent;
      samples -= sent;
      if (playback.sent < playback.samples || !playback.last) return;
      this.#playbacks.shift();
      this.onFinished(playback.id);
    }
  }
}

export class FakeEars implements CallerAudioSource {
  commits = 0;
  opened = 0;
  closed = 0;
  /** The thread that listens is being replaced. */
  away = false;
  emit: (event: VadEvent) => void = () => undefined;

  open(_mediaId: number, onEvent: (event: VadEvent) => void): CallerAudio {
    this.opened++;
    this.emit = onEvent;
    return {
      utterance: () => (this.away ? Promise.reject(new Error('away')) : Promise.resolve(new Int16Array(1600))),
      commit: () => void this.commits++,
      close: () => {
        this.closed++;
        this.emit = () => undefined;
      },
    };
  }
}

export class RecordingDelegate implements AgentDelegate {
  readonly turns: SpokenTurn[] = [];
  readonly ends: string[] = [];
  readonly latencies: number[] = [];
  readonly wishes: TransferWish[] = [];
  readonly openingSilences: number[] = [];
  readonly optOuts: OptOutWay[] = [];
  /** What `onOptOut` answers. */
  optOutStored = Promise.resolve(true);
  /** What `onTransfer` answers. */
  mayTransfer = true;

  onTurn(turn: SpokenTurn): void {
    this.turns.push(turn);
  }

  onEnd(reason: string): void {
    this.ends.push(reason);
  }

  onTransfer(wish: TransferWish): boolean {
    this.wishes.push(wish);
    return this.mayTransfer;
  }

  onTurnLatency(ms: number): void {
    this.latencies.push(ms);
  }

  onOpeningSilence(ms: number): void {
    this.openingSilences.push(ms);
  }

  onOptOut(by: OptOutWay): Promise<boolean> {
    this.optOuts.push(by);
    return this.optOutStored;
  }
}
