import { activityInfo, CompleteAsyncError, log } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { isDatabaseUnavailable, StoreError } from '../store/errors';
import { SecretError } from '../store/secrets';

/**
 * What an activity throws stands in a history for good, and the words of a database or of the network may hold numbers
 * and texts. So a failure says its kind and where it happened; its words are in the log, which redacts them.
 */
export const safeFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        const failure = withoutWords(error);
        if (failure !== error) {
          const level = isDatabaseUnavailable(error) ? 'debug' : 'error';
          log[level]('activity failed', { activity: activityInfo().activityType, err: error });
        }
        throw failure;
      }
    },
  },
});

/** Failures made for Temporal are passed on as they are. */
function withoutWords(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) return error;
  if (!(error instanceof Error)) return ApplicationFailure.create({ message: 'not an error', type: typeof error });
  // The SDK's own way to say that an activity was cancelled.
  if (error.name === 'AbortError') return error;
  const failure = ApplicationFailure.create({ message: summaryOf(error), type: error.name });
  failure.stack = framesOf(error);
  return failure;
}

function summaryOf(error: Error): string {
  if (error instanceof StoreError || error instanceof SecretError) return error.message;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? `${error.name} ${code}` : error.name;
}

/** Without its first lines, which repeat the message. */
function framesOf({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}
