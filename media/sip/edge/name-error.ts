export type NameFailure = 'not_found' | 'no_answer' | 'failed';

const WORDS: Readonly<Record<NameFailure, string>> = {
  not_found: 'no such host name',
  no_answer: 'name server does not answer',
  failed: 'name server failed',
};

/** A name without an address. The message is what the call's record says. */
export class NameError extends Error {
  readonly failure: NameFailure;

  constructor(name: string, failure: NameFailure, cause?: unknown) {
    super(`${name}: ${WORDS[failure]}`, cause === undefined ? undefined : { cause });
    this.name = 'NameError';
    this.failure = failure;
  }
}
