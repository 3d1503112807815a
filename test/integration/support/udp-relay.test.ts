import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { openUdpRelay } from '../../support/udp-relay';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An echo server behind a relay; how many of `count` datagrams came back. */
async function throughRelay(
  count: number,
  options: { loss?: number; delayMs?: { min: number; max: number }; seed?: number },
) {
  const server = createSocket('udp4');
  server.on('message', (bytes, from) => server.send(bytes, from.port, from.address));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await openUdpRelay({ target: { address: '127.0.0.1', port: server.address().port }, ...options });
  const client = createSocket('udp4');
  const returned: number[] = [];
  client.on('message', (bytes) => returned.push(bytes.readUInt16BE(0)));
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(i);
    client.send(bytes, relay.port, '127.0.0.1');
    if (i % 10 === 9) await pause(3);
  }
  for (let before = -1; before !== returned.length;) {
    before = returned.length;
    await pause(150);
  }
  relay.close();
  server.close();
  client.close();
  return { returned, counts: relay.counts };
}

describe('UDP relay', () => {
  it('passes everything both ways without loss', async () => {
    const { returned, counts } = await throughRelay(100, {});
    expect(returned).toHaveLength(100);
    expect(counts).toEqual({ forwarded: 200, lost: 0 });
  });

  it('loses the share it should, each way', async () => {
    const { returned, counts } = await throughRelay(800, { loss: 0.1, seed: 7 });
    expect(counts.lost).toBeGreaterThan(100);
    expect(counts.lost).toBeLessThan(205);
    expect(returned.length).toBe(800 - counts.lost);
  });

  it('reorders by its delay', async () => {
    const { returned } = await throughRelay(100, { delayMs: { min: 0, max: 40 }, seed: 3 });
    expect(returned).toHaveLength(100);
    expect(returned).not.toEqual(returned.toSorted((a, b) => a - b));
  });
});
