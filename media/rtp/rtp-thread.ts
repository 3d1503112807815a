/** Entry of the RTP thread: sockets, jitter buffers and pacer, away from everything that could keep them waiting. */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';

import { SessionHost } from './session-host';
import { raiseThreadPriority } from './thread-priority';

import type { RtpThreadOptions, ToRtpThread } from './thread-messages';

const port = parentPort;
if (port === null) throw new Error('rtp-thread runs as a worker thread');

raiseThreadPriority();

const host = new SessionHost({
  ...(workerData as RtpThreadOptions),
  clock: {
    now: () => performance.now(),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  },
  epochOffsetMs: performance.timeOrigin,
  post: (messages) => port.postMessage(messages),
});

port.on('message', (messages: readonly ToRtpThread[]) => {
  host.handle(messages);
  if (messages.some((message) => message.type === 'stop')) setImmediate(() => port.close());
});
