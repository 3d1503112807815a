/** Listens to a supervisor who whispers to the agent: what is said, utterance by utterance, as text. */
import type { Clock } from '../clock';
import type { SpeechToText } from './speech-to-text';
import { CallerTurn } from './turns/caller-turn';
import type { CallerAudioSource } from './vad/speech-listener';

export interface WhisperEarDependencies {
  readonly clock: Clock;
  readonly ears: CallerAudioSource;
  readonly stt: SpeechToText;
  readonly onProblem: (error: unknown) => void;
}

/** Of one session of RTP. */
export class WhisperEar {
  readonly #turn: CallerTurn;

  /** @param onSaid null: something was said that was not understood */
  constructor(
    { clock, ears, stt, onProblem }: WhisperEarDependencies,
    mediaId: number,
    onSaid: (text: string | null) => void,
  ) {
    this.#turn = new CallerTurn({
      clock,
      stt,
      keyterms: [],
      onProblem,
      delegate: {
        onOnset: () => undefined,
        onSpeech: () => undefined,
        onPause: () => undefined,
        // A cough is not worth telling of; what failed is.
        onTurn: ({ text, failed }) => {
          if (text !== '') onSaid(text);
          else if (failed) onSaid(null);
        },
      },
    });
    this.#turn.listen(ears.open(mediaId, (event) => this.#turn.onVad(event)));
  }

  /** Idempotent; nothing is told any more. */
  close(): void {
    this.#turn.close();
  }
}
