/**
 * One conversation: whose turn it is, and what follows from that. The caller's side (`CallerTurn`) runs beside it.
 *
 *   new ──start()──▶ speaking ⇄ listening ──caller's turn──▶ thinking ──first audio──▶ speaking
 *                       │ end_call, silence                                              │ end_call
 *                       ▼                                                                ▼
 *                    farewell ──heard to its end──▶ ended        (caller speaks: back to listening)
 *
 *   A transfer is wished when the words before it were heard; the call layer takes the caller away, or says why not.
 *
 *   Any state ──close()──▶ closed. Nothing but `#transition` writes the state.
 */
import { withDeadline } from '../../ops/deadline';
import type { Clock } from '../clock';
import type { TransferOrigin } from '../../contract/transfers';
import type { AgentDelegate, AgentPersona, AgentSession, CallAudio, SayOptions } from './agent-session';
import { Announcements } from './turns/announcements';
import type { OptOutWay } from '../../contract/events';
import type { Responder } from './responder/responder';
import type { SpeechToText } from './speech-to-text';
import type { TextToSpeech } from './text-to-speech';
import { CallerTurn } from './turns/caller-turn';
import type { FinishedTurn } from './turns/caller-turn';
import { DtmfCollector, pressedText } from './turns/dtmf-collector';
import { Opening } from './turns/opening';
import { OpeningSilence } from './turns/opening-silence';
import { OptingOut } from './turns/opting-out';
import { Parting } from './turns/parting';
import { OPTED_OUT, OPT_OUT_NOTED, SAY_AGAIN, SILENCE_FAREWELL, STILL_THERE } from './turns/phrases';
import { Reply, wishOf } from './turns/reply';
import type { ReplyEnd } from './turns/reply';
import { splitSentences } from './turns/sentences';
import { SilenceWatch } from './turns/silence-watch';
import { SynthesisedSentence } from './turns/synthesised-sentence';
import { Transcript } from './turns/transcript';
import type { CallerAudioSource } from './vad/speech-listener';

const DUCKED_GAIN = 0.3;
/** Speech this long since its onset takes the turn from the agent; the embedded recogniser has no words sooner. */
const BARGE_IN_MS = 240;
/** A pause this long after shorter speech: it was a cough or an "mm-hm". */
const COUGH_OVER_MS = 300;
/** Noise this long was probably meant as speech. */
const DESERVES_QUESTION_MS = 600;
const MAX_RECOGNITION_FAILURES = 2;
const MAX_REPEAT_QUESTIONS = 2;
const FINISH_DEADLINE_MS = 500;
/** Of one call, each as long as the API takes. */
const MAX_INSTRUCTIONS = 20;
export interface SessionDependencies {
  readonly clock: Clock;
  readonly ears: CallerAudioSource;
  readonly tts: TextToSpeech;
  /** null when no recogniser can be used here. */
  readonly stt: SpeechToText | null;
  readonly responder: Responder;
  /** The apology as audio, for when synthesis itself fails. */
  readonly apology: Int16Array | null;
  /** A provider failed; the conversation goes on as well as it can. */
  readonly onProblem: (error: unknown) => void;
}

type SessionState = 'new' | 'listening' | 'thinking' | 'speaking' | 'farewell' | 'ended' | 'closed';

export class ConversationSession implements AgentSession {
  readonly mayBeTold = true;
  readonly #deps: SessionDependencies;
  readonly #persona: AgentPersona;
  readonly #audio: CallAudio;
  readonly #delegate: AgentDelegate;
  readonly #caller: CallerTurn;
  readonly #dtmf: DtmfCollector;
  readonly #silence: SilenceWatch;
  readonly #transcript: Transcript;
  readonly #parting: Parting;
  readonly #opening: Opening;
  readonly #openingSilence: OpeningSilence;
  readonly #optingOut: OptingOut;
  #state: SessionState = 'new';
  /** By the peer: see `hold`. */
  #held = false;
  #reply: Reply | null = null;
  #nextPlaybackId = 1;
  #ducked = false;
  /** Cutting the agent off takes a question to the pacer; the caller's turn is handled after it is answered. */
  #cutting: Promise<unknown> = Promise.resolve();
  #interrupted = false;
  /** Something was said while the agent could not be interrupted; it is answered afterwards. */
  #unanswered = false;
  #muted = false;
  /** What it was told in the call, beside the instructions of its persona. */
  readonly #instructions: string[] = [];
  readonly #announcements = new Announcements();
  #recognitionFailures = 0;
  #repeatQuestions = 0;

  constructor(deps: SessionDependencies, persona: AgentPersona, audio: CallAudio, delegate: AgentDelegate) {
    this.#deps = deps;
    this.#persona = persona;
    this.#audio = audio;
    this.#delegate = delegate;
    this.#transcript = new Transcript((turn) => delegate.onTurn(turn));
    this.#parting = new Parting({
      floor: {
        reply: () => this.#reply,
        newReply: () => this.#newReply(null),
        cutOff: (reply) => this.#cutOff(reply),
        muted: () => this.#muted,
        rest: () => {
          this.#silence.rest();
          this.#duck(false);
          this.#transition('listening');
        },
        wait: () => this.#silence.arm(),
        end: (why) => {
          this.#silence.rest();
          this.#transition('ended');
          delegate.onEnd(why);
        },
      },
      onTransfer: (wish) => delegate.onTransfer(wish),
      failsOver: persona.failsOver === true,
      apology: deps.apology,
    });
    this.#opening = new Opening(persona, (text) => this.#synthesise(text));
    this.#openingSilence = new OpeningSilence((ms) => delegate.onOpeningSilence?.(ms));
    this.#optingOut = new OptingOut({
      allowed: persona.mayOptOut === true,
      onOptOut: (by) => delegate.onOptOut?.(by) ?? Promise.resolve(false),
    });
    this.#caller = new CallerTurn({
      clock: deps.clock,
      stt: deps.stt,
      keyterms: [],
      onProblem: deps.onProblem,
      delegate: {
        onOnset: () => this.#onCallerOnset(),
        onSpeech: (speechMs) => this.#onCallerSpeech(speechMs),
        onPause: (speechMs, silenceMs) => this.#onCallerPause(speechMs, silenceMs),
        onTurn: (turn) => void this.#onCallerTurn(turn),
      },
    });
    this.#dtmf = new DtmfCollector(deps.clock, (digits) => this.#onDigits(digits));
    this.#silence = new SilenceWatch(deps.clock, persona.silenceTimeoutMs, {
      onAsk: (asked) => this.#newReply(null).say([STILL_THERE[asked] ?? STILL_THERE[0]], null),
      onGiveUp: () => this.#newReply(null).say([SILENCE_FAREWELL], 'silence'),
    });
  }

  async warm(): Promise<void> {
    const first = this.#opening.prepare();
    if (!first) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (first.chunks.length > 0 || first.state === 'complete') resolve();
        else if (first.state === 'failed') reject(new Error('the first message cannot be synthesised'));
      };
      first.onProgress = check;
      check();
    });
  }

  start(): void {
    if (this.#state !== 'new') return;
    const now = this.#deps.clock.now();
    this.#transcript.answered(now);
    this.#openingSilence.answered(now);
    this.#transition('listening');
    if (!this.#held) this.#listen();
    const { sentences, insists } = this.#opening.begin();
    if (sentences.length === 0) return this.#silence.arm();
    const reply = this.#newReply(null);
    if (insists) reply.insist();
    reply.sayPrepared(sentences, null);
  }

  hold(held: boolean): void {
    if (this.#held === held || this.#state === 'closed') return;
    this.#held = held;
    this.#silence.hold(held || this.#muted);
    if (!this.#open) return;
    if (held) void this.#stopListening();
    else this.#listen();
  }

  say(text: string, { interrupt, onOutcome, onOver }: SayOptions): 'muted' | 'too_many' | 'ended' | null {
    if (!this.#open || this.#state === 'farewell' || this.#optingOut.done) return 'ended';
    if (this.#muted) return 'muted';
    if (!this.#announcements.add({ sentences: splitSentences(text), onOutcome, onOver })) return 'too_many';
    this.#silence.rest();
    this.#parting.stay();
    if (interrupt && this.#reply) this.#cutOff(this.#reply);
    void this.#cutting.then(() => this.#announceNext());
    return null;
  }

  notTransferred(by: TransferOrigin, text: string): void {
    if (!this.#open) return;
    if (by === 'failover') this.#parting.apologise();
    else this.say(text, { interrupt: true, onOutcome: () => undefined });
  }

  instruct(text: string): boolean {
    if (this.#instructions.length >= MAX_INSTRUCTIONS) return false;
    this.#instructions.push(text);
    return true;
  }

  mute(muted: boolean): void {
    if (this.#muted === muted || !this.#open) return;
    this.#muted = muted;
    this.#silence.hold(muted || this.#held);
    if (muted) {
      this.#announcements.drop();
      this.#parting.silenced();
      if (this.#optingOut.done) this.#parting.end('agent_goodbye');
    } else if (this.#unanswered) {
      this.#unanswered = false;
      this.#respond(null);
    } else if (!this.#reply && this.#caller.state === 'idle') this.#silence.arm();
  }

  onDtmf(digit: string): void {
    if (!this.#open || this.#optingOut.done) return;
    this.#silence.rest();
    this.#silence.reset();
    this.#parting.stay();
    const takesKey = !this.#optingOut.takes(digit);
    const offered = takesKey ? this.#persona.destinations?.find(({ keypad }) => keypad === digit) : undefined;
    if (offered && !this.#dtmf.collecting) return this.#onKeyOf(offered.id, digit);
    this.#takeTheTurn();
    this.#dtmf.push(digit);
  }

  onPlaybackFinished(playbackId: number): void {
    this.#reply?.speech.onPlaybackFinished(playbackId);
  }

  async finish(deadlineMs: number = FINISH_DEADLINE_MS): Promise<void> {
    if (this.#state !== 'new' && this.#state !== 'closed') {
      this.#silence.rest();
      const { clock: timers } = this.#deps;
      await withDeadline(this.#reportRest(), deadlineMs, { timers }).catch(() => undefined); // what is late is left out
    }
    this.close();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#transition('closed');
    this.#transcript.close();
    this.#silence.rest();
    this.#dtmf.dispose();
    this.#caller.close();
    this.#dropReply()?.speech.cancel();
    this.#opening.cancel();
  }

  // ------------------------------------------------------------------------------------------- the caller's side

  get #open(): boolean {
    return this.#state !== 'new' && this.#state !== 'ended' && this.#state !== 'closed';
  }

  #listen(): void {
    this.#caller.listen(this.#deps.ears.open(this.#audio.mediaId, (event) => this.#caller.onVad(event)));
  }

  /** Words that were under way are the caller's turn; it is answered when the hold is over. */
  async #stopListening(): Promise<void> {
    this.#duck(false);
    const concluded = this.#caller.conclude();
    this.#caller.stopListening();
    const turn = await concluded;
    if (!this.#open) return;
    if (turn) await this.#onCallerTurn(turn);
    else if (!this.#parting.carryOut() && !this.#reply && this.#state === 'listening') this.#silence.arm();
  }

  #onCallerOnset(): void {
    if (!this.#open) return;
    this.#silence.rest();
    const reply = this.#reply;
    if (reply?.speech.audible && this.#persona.interruptible && !reply.insists) this.#duck(true);
  }

  #onCallerSpeech(speechMs: number): void {
    if (!this.#open || speechMs < BARGE_IN_MS) return;
    this.#parting.stay();
    this.#takeTheTurn();
  }

  #onCallerPause(speechMs: number, silenceMs: number): void {
    if (!this.#open || silenceMs < COUGH_OVER_MS) return;
    this.#duck(false);
    const { pending } = this.#parting;
    if (speechMs >= BARGE_IN_MS || (!this.#reply && !pending && !this.#announcements.waiting)) return;
    this.#caller.discard();
    if (!this.#announceNext(pending)) this.#parting.carryOut();
  }

  /** The caller has the floor: what the agent says or prepares is given up, a farewell too. */
  #takeTheTurn(): void {
    const reply = this.#reply;
    // The words before a transfer are heard to their end; what is said over them can keep it from being wished.
    if (!reply || reply.insists || wishOf(reply.end)) return;
    if (!reply.speech.audible || this.#persona.interruptible) {
      this.#interrupted ||= reply.speech.audible;
      this.#cutOff(reply);
      return;
    }
    // Not interruptible: it is spoken to its end, but it no longer ends the call.
    reply.keepCall();
    this.#transition('speaking');
  }

  #cutOff(reply: Reply): void {
    const at = this.#deps.clock.now();
    this.#dropReply();
    this.#transition('listening');
    const cut = reply.speech.cut().then((heard) => {
      this.#duck(false);
      this.#transcript.agentSaid(heard, reply.startedAt, at, this.#transcript.sinceAnswer(at));
    });
    this.#cutting = Promise.all([this.#cutting, cut]);
  }

  async #onCallerTurn(turn: FinishedTurn): Promise<void> {
    const interrupted = this.#interrupted;
    this.#interrupted = false;
    this.#openingSilence.callerSpoke(turn.startedAt, turn.endedAt);
    await this.#cutting;
    if (!this.#open) return;
    this.#duck(false);
    if (turn.failed && !this.#muted) return this.#onRecognitionFailed();
    this.#recognitionFailures = 0;
    if (turn.text === '') return this.#muted ? undefined : this.#onNothingUnderstood(turn, interrupted);
    this.#repeatQuestions = 0;
    this.#onCallerSaid(turn.text, turn, turn.endedAt);
  }

  /** `askedAt`: end of the speech that an answer is timed from, null where there was none. */
  #onCallerSaid(
    text: string,
    { startedAt, endedAt }: Pick<FinishedTurn, 'startedAt' | 'endedAt'>,
    askedAt: number | null,
  ): void {
    this.#silence.rest();
    this.#silence.reset();
    this.#transcript.callerSaid(text, startedAt, endedAt);
    if (!this.#open || this.#optingOut.done) return;
    if (this.#optingOut.saidIn(text)) return this.#optOut('word');
    if (this.#parting.said(text)) return;
    if (this.#reply && (this.#reply.speech.audible || this.#reply.insists)) this.#unanswered = true;
    else {
      // Said while an answer was being prepared: the next one answers both.
      if (this.#reply) this.#cutOff(this.#reply);
      this.#respond(askedAt);
    }
  }

  #onNothingUnderstood(turn: FinishedTurn, interrupted: boolean): void {
    if (this.#reply || this.#announceNext(this.#parting.pending) || this.#parting.carryOut()) return;
    if (this.#optingOut.done) return;
    if (this.#opening.pending) return this.#respond(null);
    const meantAsSpeech = interrupted || turn.speechMs >= DESERVES_QUESTION_MS;
    if (meantAsSpeech && this.#repeatQuestions++ < MAX_REPEAT_QUESTIONS) this.#newReply(null).say([SAY_AGAIN], null);
    else this.#silence.arm();
  }

  #onRecognitionFailed(): void {
    if (this.#reply || this.#parting.carryOut()) return;
    const hopeless = !this.#deps.stt || ++this.#recognitionFailures >= MAX_RECOGNITION_FAILURES;
    if (hopeless) this.#parting.giveUp();
    else this.#newReply(null).say([SAY_AGAIN], null);
  }

  #onDigits(digits: readonly string[]): void {
    const at = this.#deps.clock.now();
    void this.#cutting.then(() => {
      if (!this.#open) return;
      if (!this.#optingOut.pressedIn(digits)) {
        return this.#onCallerSaid(pressedText(digits), { startedAt: at, endedAt: at }, null);
      }
      this.#transcript.callerSaid(pressedText(digits), at, at);
      this.#optOut('key');
    });
  }

  // -------------------------------------------------------------------------------------------- the agent's side

  /** Whoever was called is not to be called again: first that is seen to, then it is said, and then the call ends. */
  #optOut(by: OptOutWay): void {
    this.#silence.rest();
    this.#dtmf.dispose();
    this.#announcements.drop();
    this.#parting.wait(null);
    if (this.#reply) this.#cutOff(this.#reply);
    void Promise.all([this.#optingOut.see(by), this.#cutting]).then(([stored]) => {
      if (!this.#open) return;
      if (this.#muted) return this.#parting.end('agent_goodbye');
      const reply = this.#newReply(null);
      reply.insist();
      reply.say([stored ? OPTED_OUT : OPT_OUT_NOTED], 'agent_goodbye');
    });
  }

  /** The floor is free, and something waits to be said. */
  #announceNext(end: ReplyEnd | null = null): boolean {
    if (!this.#open || this.#muted || this.#reply || this.#caller.state !== 'idle') return false;
    const next = this.#announcements.next();
    if (!next) return false;
    const reply = this.#newReply(null);
    this.#announcements.begun(reply, next);
    reply.say(next.sentences, end);
    return true;
  }

  #respond(askedAt: number | null): void {
    if (this.#muted || this.#announceNext()) {
      this.#unanswered = true;
      return;
    }
    const reply = this.#newReply(askedAt);
    // What was said over the disclosure is answered by the first message, as a greeting is.
    if (this.#opening.pending) return reply.sayPrepared(this.#opening.takePending(), null);
    this.#transition('thinking');
    void reply.follow(this.#deps.responder, { persona: this.#instructed(), history: this.#transcript.messages });
  }

  #instructed(): AgentPersona {
    if (this.#instructions.length === 0) return this.#persona;
    return { ...this.#persona, instructions: [...this.#persona.instructions, ...this.#instructions] };
  }

  #newReply(askedAt: number | null): Reply {
    this.#silence.rest();
    this.#reply = new Reply({
      audio: this.#audio,
      clock: this.#deps.clock,
      askedAt,
      synthesise: (text) => this.#synthesise(text),
      nextPlaybackId: () => this.#nextPlaybackId++,
      delegate: {
        onFirstAudio: (reply) => this.#onFirstAudio(reply),
        onFinished: (reply) => this.#onSpoken(reply),
        onVoiceFailed: (reply) => this.#onVoiceFailed(reply),
        onWriterFailed: () => this.#parting.lastResort(),
        onOptOut: (reply) => {
          const asked = this.#reply === reply && this.#optingOut.possible;
          if (asked) this.#optOut('agent');
          return asked;
        },
        onEndsCall: (reply) => {
          if (this.#reply === reply && this.#state === 'speaking') this.#transition('farewell');
        },
      },
    });
    return this.#reply;
  }

  #onFirstAudio(reply: Reply): void {
    if (this.#reply !== reply) return;
    this.#openingSilence.over(reply.startedAt, this.#caller.speakingSince);
    this.#announcements.heard(reply);
    this.#transition(typeof reply.end === 'string' ? 'farewell' : 'speaking');
    if (reply.askedAt !== null) this.#delegate.onTurnLatency?.(Math.round(reply.startedAt - reply.askedAt));
  }

  #onSpoken(reply: Reply): void {
    if (this.#reply !== reply) return;
    this.#dropReply();
    this.#transcript.agentSaid(reply.speech.text, reply.startedAt, this.#deps.clock.now(), null);
    if (!this.#open) return;
    if (this.#announceNext(reply.end)) return;
    if (reply.end && (reply.insists || this.#caller.state === 'idle')) return this.#parting.end(reply.end);
    this.#transition('listening');
    // Whoever makes a sound over the last words is heard out before the call ends.
    const unanswered = this.#unanswered || (this.#opening.pending && this.#caller.state === 'idle');
    this.#unanswered = false;
    this.#parting.wait(unanswered ? null : reply.end);
    if (unanswered) this.#respond(null);
    else if (this.#caller.state === 'idle' && !this.#dtmf.collecting) this.#silence.arm();
  }

  #onVoiceFailed(reply: Reply): void {
    if (this.#reply !== reply) return;
    this.#dropReply();
    if (this.#optingOut.done) this.#parting.end('agent_goodbye');
    else this.#parting.voiceLost(reply);
  }

  /** Whoever presses it has decided: nothing else is said to its end. */
  #onKeyOf(destinationId: string, digit: string): void {
    if (wishOf(this.#reply?.end)) return;
    const at = this.#deps.clock.now();
    this.#announcements.drop();
    if (this.#reply) this.#cutOff(this.#reply);
    void this.#cutting.then(() => {
      if (!this.#open) return;
      this.#transcript.callerSaid(pressedText([digit]), at, at);
      this.#parting.keyPressed(destinationId);
    });
  }

  #synthesise(text: string): SynthesisedSentence {
    const { voiceId, ttsSpeedPct } = this.#persona;
    return SynthesisedSentence.start(this.#deps.tts, { text, voiceId, speedPct: ttsSpeedPct }, this.#deps.onProblem);
  }

  #dropReply(): Reply | null {
    const reply = this.#reply;
    this.#reply = null;
    reply?.drop();
    if (reply) this.#announcements.given(reply);
    return reply;
  }

  async #reportRest(): Promise<void> {
    const at = this.#deps.clock.now();
    this.#openingSilence.over(at, this.#caller.speakingSince);
    const reply = this.#dropReply();
    if (this.#optingOut.pressedIn(this.#dtmf.take())) void this.#optingOut.see('key');
    if (this.#state !== 'ended') this.#transition('ended');
    const concluded = this.#caller.conclude();
    await this.#cutting;
    if (reply) this.#transcript.agentSaid(await reply.speech.cut(), reply.startedAt, at, null);
    const turn = await concluded;
    if (!turn) return;
    this.#transcript.callerSaid(turn.text, turn.startedAt, turn.endedAt);
    // Said, and hung up without waiting for an answer.
    if (this.#optingOut.saidIn(turn.text)) void this.#optingOut.see('word');
  }

  #duck(ducked: boolean): void {
    if (this.#ducked === ducked) return;
    this.#ducked = ducked;
    this.#audio.setGain(ducked ? DUCKED_GAIN : 1);
  }

  #transition(next: SessionState): void {
    if (this.#state === next) return;
    if (this.#state === 'closed' || (this.#state === 'ended' && next !== 'closed'))
      throw new Error(`a conversation cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }
}
