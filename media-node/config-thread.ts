/** Entry of the configuration's thread: what has changed is read, parsed and opened away from signalling. */
import { parentPort, workerData } from 'node:worker_threads';
import { ConfigFeed } from './config-feed';
import type { ConfigThreadOptions, ToConfigThread } from './config-messages';

const port = parentPort;
if (port === null) throw new Error('config-thread runs as a worker thread');

const feed = new ConfigFeed(workerData as ConfigThreadOptions, (look) => port.postMessage(look));

port.on('message', (message: ToConfigThread) => {
  switch (message.type) {
    case 'look':
      return feed.look(message.request);
    case 'acting':
      return feed.acting(message.boot, message.version);
    case 'stop':
      return feed.close();
  }
});

void feed.run().finally(() => port.close());
