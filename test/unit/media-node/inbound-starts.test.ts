import { STUCK } from '../../../media-node/node-load';
import { InboundStarts } from '../../../media-node/inbound-starts';

test('how far behind: the age of the oldest start, whether it has a place or waits for one, but for a few', async () => {
  let nowMs = 0;
  const starts = new InboundStarts({ maxStarts: 4, nowMs: () => nowMs });
  const answers: (() => void)[] = [];
  const start = (): Promise<unknown> => starts.run(() => new Promise<void>((resolve) => answers.push(resolve)));
  const running = Array.from({ length: STUCK }, start);
  nowMs = 100;
  running.push(start());
  nowMs = 180;
  expect(starts.behindMs).toBe(80);
  await new Promise((resolve) => setImmediate(resolve));
  while (answers.length > 0) {
    answers.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(starts.behindMs).toBe(0);
  await Promise.all(running);
});

test('a start that fails gives its place back', async () => {
  const starts = new InboundStarts({ maxStarts: 1 });
  await expect(starts.run(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await starts.run(() => Promise.resolve('started'))).toBe('started');
});

test('a start that takes long gives its place to the next, which is not refused for it', async () => {
  const starts = new InboundStarts({ maxStarts: 1 });
  let answer = (): void => undefined;
  const slow = starts.run(() => new Promise<string>((resolve) => (answer = () => resolve('slow'))));
  expect(await starts.run(() => Promise.resolve('next'))).toBe('next');
  answer();
  expect(await slow).toBe('slow');
});
