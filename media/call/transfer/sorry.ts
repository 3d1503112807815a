/** What the agent says to a caller whom it could not hand over, and what it knows of it. */
import type { LegFailure } from './far-leg';

const NOBODY = 'the person I called';

const REASONS: Partial<Readonly<Record<LegFailure['outcome'], string>>> = {
  busy: 'is on another call right now',
  no_answer: 'did not answer',
  rejected: 'cannot take the call right now',
  declined: 'cannot take the call right now',
  unknown: 'has not come to the phone yet',
};

/** @param name what the agent calls whoever was called; null: nobody has named it */
export function sorry(name: string | null, outcome: LegFailure['outcome']): string {
  return `I am sorry, ${name ?? NOBODY} ${REASONS[outcome] ?? 'could not be reached'}. You are back with me.`;
}

/** Before anybody was called: `outcome` is why it may not be, or cannot. */
export function cannot(name: string | null): string {
  return `I am sorry, I cannot put you through to ${name ?? 'a person'} right now.`;
}

export function toKnow(name: string | null, outcome: string): string {
  const why = outcome.replaceAll('_', ' ');
  return `You tried to transfer the caller to ${name ?? 'somebody else'}, and it failed: ${why}. The caller is with you again.`;
}
