import pino from 'pino';
import { createBenchDirectory, createEchoAgent, UNLIMITED_CAPACITY } from '../../../media-node/bench-mode';
import { rehearse } from '../../../media';
import { RecordingEvents } from '../../fakes/recording-events';

const logger = pino({ level: 'silent' });
const played = {
  directory: createBenchDirectory(),
  createAgent: createEchoAgent,
  capacity: UNLIMITED_CAPACITY,
  logger,
};

it('has each of its calls from credentials to BYE, and leaves nothing open', async () => {
  const events = new RecordingEvents();
  expect(await rehearse({ ...played, events, calls: 20, limitMs: 10_000 })).toBe(20);
  const ended = events.all.filter(({ type }) => type === 'ended');
  expect(ended).toHaveLength(20);
  for (const event of ended) {
    expect(event).toMatchObject({ ending: { disposition: 'answered', endReason: 'caller_hangup' } });
  }
});

it('keeps a start waiting no longer than its limit, whatever hangs in it', async () => {
  const events = new RecordingEvents();
  const waiting: (() => void)[] = [];
  const startInbound = (): Promise<{ readonly ok: false; readonly reason: 'unavailable' }> =>
    new Promise((resolve) => waiting.push(() => resolve({ ok: false, reason: 'unavailable' })));
  const hanging = { ...played.directory, startInbound };
  expect(await rehearse({ ...played, directory: hanging, events, calls: 20, limitMs: 200 })).toBe(0);
  for (const release of waiting) release();
});

it('is no reason not to start', async () => {
  const events = new RecordingEvents();
  const createAgent = (): never => {
    throw new Error('no agent');
  };
  await expect(rehearse({ ...played, createAgent, events, calls: 2, limitMs: 5_000 })).resolves.toBeGreaterThanOrEqual(
    0,
  );
});
