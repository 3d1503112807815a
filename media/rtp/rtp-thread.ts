/** Entry of the RTP thread: sockets, jitter buffers and pacer, away from everything that could keep them waiting. */
import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../clock';
import { endOfTurn } from './end-of-turn';
import { SessionHost } from './session-host';
import { raiseThreadPriority } from './thread-priority';

import type { RtpThreadOptions, ToRtpThread } from './thread-messages';

const port = parentPort;
if (port === null) throw new Error('rtp-thread runs as a worker thread');

raiseThreadPriority();

const host = new SessionHost({
  ...(workerData as RtpThreadOptions),
  clock: systemClock,
  epochOffsetMs: systemClock.timeOriginMs,
  post: (messages) => port.postMessage(messages),
  defer: endOfTurn,
});

port.on('message', (messages: readonly ToRtpThread[]) => {
  host.handle(messages);
  if (messages.some((message) => message.type === 'stop')) setImmediate(() => port.close());
});
