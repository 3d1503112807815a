import { spawnSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';

import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import { preferredThreads } from '../../../../media/rtp/preferred-threads';
import { RealTimePreference } from '../../../../media/rtp/real-time-preference';
import { waitFor } from '../../../support/wait-for';

const mayBeRealTime = spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
const describeWhereGranted = mayBeRealTime ? describe : describe.skip;

describeWhereGranted('the precedence of the RTP thread', () => {
  let engine: ThreadedRtpEngine;
  let nowMs = 0;
  const logged: string[] = [];
  const preference = new RealTimePreference({
    logger: { info: (_, message) => logged.push(message) },
    nowMs: () => nowMs,
  });

  beforeAll(async () => {
    engine = new ThreadedRtpEngine({ portMin: 23_000, portMax: 23_099 });
    await engine.start();
    await waitFor(
      'the thread to be preferred',
      5_000,
      () => preferredThreads().some(({ realTime }) => realTime) || undefined,
    );
  });

  afterAll(async () => {
    preference.close();
    await engine.close();
  });

  it('is given up while the main thread is strained, and comes back when it has not been for a while', async () => {
    const before = preferredThreads();
    preference.strained();
    preference.strained();
    await waitFor('no precedence', 5_000, () => preferredThreads().length === 0 || undefined);
    nowMs += 4_000;
    preference.strained();
    nowMs += 4_000;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(preferredThreads()).toEqual([]);
    nowMs += 2_000;
    await waitFor('the precedence', 5_000, () => isDeepStrictEqual(preferredThreads(), before) || undefined);
    expect(logged).toHaveLength(2);
  }, 20_000);
});
