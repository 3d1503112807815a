import type { MessagePort } from 'node:worker_threads';
import { SessionHost } from '../../../../media/rtp/session-host';
import type { FromRtpThread, ToRtpThread } from '../../../../media/rtp/thread-messages';
import { FakeClock, settle } from '../../../fakes/fake-clock';

function listener(close: () => void): MessagePort {
  return { close, postMessage: () => undefined } as unknown as MessagePort;
}

describe('SessionHost', () => {
  function host(): {
    readonly said: FromRtpThread[];
    readonly handle: (messages: readonly ToRtpThread[]) => Promise<void>;
  } {
    const said: FromRtpThread[] = [];
    const hosting = new SessionHost({
      portMin: 1,
      portMax: 2,
      clock: new FakeClock(),
      epochOffsetMs: 0,
      post: (messages) => said.push(...messages),
      defer: queueMicrotask,
    });
    return {
      said,
      handle: async (messages) => {
        hosting.handle(messages);
        await settle();
      },
    };
  }

  it('carries out the commands after one without a session that throws', async () => {
    const { said, handle } = host();
    const broken = listener(() => {
      throw new Error('close');
    });
    let closed = 0;
    await handle([
      { type: 'listener', port: broken },
      { type: 'listener', port: listener(() => closed++) },
      { type: 'stop', request: 7 },
    ]);
    expect(said).toEqual([
      { type: 'fault', mediaId: null, message: expect.stringContaining('close') as string },
      { type: 'reply', request: 7, reply: { kind: 'stopped' } },
    ]);
    expect(closed).toBe(1);
  });

  it('answers a request that throws with an error', async () => {
    const { said, handle } = host();
    const broken = listener(() => {
      throw new Error('close');
    });
    await handle([
      { type: 'listener', port: broken },
      { type: 'stop', request: 7 },
    ]);
    expect(said.at(-1)).toMatchObject({ type: 'reply', request: 7, reply: { kind: 'error', code: 'failed' } });
  });
});
