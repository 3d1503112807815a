import { BuiltinResponder } from '../../../../../media/agent/responder/builtin-responder';
import { FallbackResponder } from '../../../../../media/agent/responder/fallback-responder';
import type { Responder, ResponderEvent } from '../../../../../media/agent/responder/responder';
import { FakeResponder } from '../../../../fakes/fake-speech';
import { answerOf, describeResponder } from '../../../../support/agent/responder-contract';

const BROKEN: Responder = {
  name: 'broken',
  // eslint-disable-next-line require-yield
  async *respond(): AsyncGenerator<ResponderEvent> {
    await Promise.resolve();
    throw new Error('down');
  },
};

describeResponder('fallback, first one broken', () =>
  Promise.resolve({ responder: new FallbackResponder([BROKEN, new BuiltinResponder()], () => undefined) }),
);

describe('FallbackResponder', () => {
  test('asks the next one within the same turn and reports the failure', async () => {
    const problems: unknown[] = [];
    const next = new FakeResponder();
    const events = await answerOf(new FallbackResponder([BROKEN, next], (error) => problems.push(error)), 'Hello?');
    expect(events).toEqual(next.answer);
    expect(problems).toHaveLength(1);
  });

  test('does not start over after part of an answer was spoken', async () => {
    const next = new FakeResponder();
    const half: Responder = {
      name: 'half',
      async *respond() {
        yield { type: 'text', delta: 'We open at' } as const;
        await Promise.resolve();
        throw new Error('cut');
      },
    };
    const events = await answerOf(new FallbackResponder([half, next], () => undefined), 'Hello?');
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ type: 'text', delta: expect.stringContaining('ask me that again') });
    expect(next.asked).toHaveLength(0);
  });

  test('fails when all fail', async () => {
    await expect(answerOf(new FallbackResponder([BROKEN, BROKEN], () => undefined), 'Hello?')).rejects.toThrow('down');
  });

  test('does not fall back when it was aborted', async () => {
    const next = new FakeResponder();
    const abort = new AbortController();
    const slow = new FakeResponder();
    slow.silent = true;
    const answer = answerOf(new FallbackResponder([slow, next], () => undefined), 'Hello?', abort.signal);
    setImmediate(() => abort.abort());
    await expect(answer).rejects.toThrow();
    expect(next.asked).toHaveLength(0);
  });
});
