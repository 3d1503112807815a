/** Step `authentication`: does the carrier take the trunk's user name and password? */
import type { CheckStep } from '../../../contract/trunk-check';
import { failed, passed, unclear, type Advice } from './check-step';
import type { ProbedTarget } from './reach-steps';
import type { TestCallResult } from './test-call';

const STEP = 'authentication';
const CORRECT_THEM =
  "Set username and password anew (PATCH): they are those of the SIP trunk, not of the carrier's website.";

/** By what carriers answer to wrong credentials; which of the two is wrong they tell in part, or not at all. */
const REFUSALS: ReadonlyMap<number, Advice> = new Map([
  [
    401,
    {
      cause:
        'The carrier asked for credentials again after it had ours: the password is wrong, or no such user is known.',
      remedy: CORRECT_THEM,
    },
  ],
  [
    403,
    {
      cause:
        'The carrier refuses what it was given: mostly a user name that it does not know or has locked. Some answer the same to a wrong password, to an address that is not allowed, and to a call whose caller number is not one of the account.',
      remedy: `${CORRECT_THEM} If they are right: is the user active, is the public address of this media node allowed, is caller_number a number of the account (with some carriers the user name itself)?`,
    },
  ],
]);

const NOT_FOUND: Advice = {
  cause:
    'The carrier does not know our user name, or has taken it and knows nothing to answer OPTIONS with: both are 404.',
  remedy: 'Check again with test_number, which tells them apart.',
};

/** The challenge itself is no good. */
export const UNMET_CHALLENGE: Advice = {
  cause: 'The challenge comes from another address than the trunk, or by an algorithm other than MD5 and SHA-256.',
  remedy: 'Ask the carrier for digest authentication with MD5 or SHA-256 from the host of the trunk.',
};

/** What an answer to our credentials says of them; 407 is the same as 401, of a proxy. */
export function credentialRefusal(status: number): Advice | undefined {
  return REFUSALS.get(status === 407 ? 401 : status);
}

/** The credentials were wrong already when OPTIONS was asked. */
export function deniesCredentials(probed: readonly ProbedTarget[]): boolean {
  const outcome = probed.at(-1)?.outcome;
  return outcome?.kind === 'answered' && outcome.authenticated && [401, 403, 407].includes(outcome.status);
}

/** @param call null: none was placed */
export function authenticationStep(probed: readonly ProbedTarget[], call: TestCallResult | null): CheckStep {
  const outcome = probed.at(-1)?.outcome;
  if (outcome === undefined || outcome.kind === 'unreachable') {
    return unclear(STEP, null, 'Not tried: the carrier was not reached.');
  }
  // 404 to OPTIONS is about what it asked for, or about who asked.
  const ambiguous = outcome.kind === 'answered' && outcome.status === 404;
  if (outcome.kind === 'answered' && outcome.authenticated && !(ambiguous && call !== null)) {
    const { status, reason, answeredMs } = outcome;
    const advice = deniesCredentials(probed) ? credentialRefusal(status) : undefined;
    const detail = `OPTIONS was challenged with ${outcome.challenge}; with our credentials: ${status} ${reason}`.trim();
    if (ambiguous) return unclear(STEP, answeredMs, `${detail}.`, NOT_FOUND);
    return advice === undefined
      ? passed(STEP, answeredMs, `${detail}.`)
      : failed(STEP, answeredMs, `${detail}.`, advice);
  }
  if (outcome.kind === 'answered' && outcome.challenge !== null && !outcome.authenticated) {
    return failed(
      STEP,
      outcome.answeredMs,
      `OPTIONS was challenged with ${outcome.challenge}, in a way that cannot be met.`,
      UNMET_CHALLENGE,
    );
  }
  if (call !== null) return byCall(call);
  return unclear(
    STEP,
    null,
    'The carrier asks for credentials only for calls, if at all: give test_number to check them.',
  );
}

function byCall({ outcome, challenge }: TestCallResult): CheckStep {
  if (outcome.kind !== 'status') {
    const detail =
      challenge === null ? 'The test call was not answered at all.' : 'After its challenge the carrier was silent.';
    return unclear(STEP, null, detail);
  }
  const { status } = outcome;
  const answer = `${status} ${outcome.reason}`.trim();
  if (challenge === null) {
    if (status === 403) {
      return failed(STEP, null, `The test call was refused without a challenge: ${answer}.`, {
        cause: 'The carrier admits callers by their address, or does not allow this caller number or destination.',
        remedy:
          'Enter the public address of this media node with the carrier, or switch its trunk to credentials; see that caller_number is one of yours there.',
      });
    }
    return passed(STEP, null, `The carrier asks for no credentials; the test call got ${answer}.`);
  }
  const detail = `The test call was challenged with ${challenge}; with our credentials: ${answer}.`;
  const advice = credentialRefusal(status);
  if (advice !== undefined) return failed(STEP, null, detail, advice);
  // A called number that does not exist is 404 as well.
  if (status !== 404) return passed(STEP, null, detail);
  return unclear(STEP, null, detail, {
    cause: 'The carrier does not know the called number in this form, or not our user name: both are 404.',
    remedy: `Check again with another test_number. If it stays: ${CORRECT_THEM}`,
  });
}
