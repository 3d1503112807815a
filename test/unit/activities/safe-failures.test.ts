import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { QueryFailedError } from 'typeorm';
import { safeFailures } from '../../../activities/safe-failures';
import { StoreError } from '../../../store/errors';

/** What a worker hears of an activity that throws `error`. */
async function failureOf(error: unknown): Promise<unknown> {
  const activity = new MockActivityEnvironment();
  return await activity.run(async () => {
    const { execute } = safeFailures(Context.current()).inbound ?? {};
    return await execute?.({ args: [], headers: {} }, () => Promise.reject(error)).catch((failure: unknown) => failure);
  });
}

const words = (failure: unknown): string => {
  const { message, stack, cause } = failure as Error;
  return JSON.stringify([message, stack, String(cause), (failure as ApplicationFailure).details]);
};

test('a failed statement keeps its code and its place, not its values', async () => {
  const driver = Object.assign(new Error('invalid input syntax: "+15551234567"'), { code: '22P02' });
  const failure = await failureOf(new QueryFailedError('INSERT', ['+15551234567'], driver));
  expect(failure).toMatchObject({ type: 'QueryFailedError', message: 'QueryFailedError 22P02', nonRetryable: false });
  expect((failure as Error).stack).toContain('safe-failures.test');
  expect(words(failure)).not.toContain('5551234567');
});

test('an error of many lines leaves none of them', async () => {
  const failure = await failureOf(new SyntaxError('Unexpected token\nin "my secret greeting"\n   is not valid JSON'));
  expect(words(failure)).not.toMatch(/secret|Unexpected/);
  expect(failure).toMatchObject({ type: 'SyntaxError' });
});

test('our own stable causes keep their words', async () => {
  expect(await failureOf(new StoreError('attempt_exists', 'the attempt was begun before'))).toMatchObject({
    message: 'the attempt was begun before',
  });
});

test('what was made for Temporal passes', async () => {
  for (const failure of [
    new CancelledFailure('x'),
    ApplicationFailure.nonRetryable('m', 't'),
    new CompleteAsyncError(),
  ])
    expect(await failureOf(failure)).toBe(failure);
  const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' });
  expect(await failureOf(aborted)).toBe(aborted);
  expect(await failureOf('+15551234567')).toMatchObject({ message: 'not an error' });
});
