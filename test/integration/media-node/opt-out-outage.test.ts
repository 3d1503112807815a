/** Whoever opts out while PostgreSQL is away is on the list once it is back, though the node has died meanwhile. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventSink } from '../../../media-node/event-sink';
import { EventSpool } from '../../../media-node/event-spool';
import { createLogger } from '../../../ops/logger';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { EventRepository } from '../../../store/repositories/event-repository';
import { waitFor } from '../../support/wait-for';
import { TcpRelay } from '../../support/tcp-relay';
import { insertCampaign, insertContact, insertContactCall, nodeEvent, openStore } from '../store/store-fixture';

test('an opt-out that could not be stored is kept in a file, and brings the number onto the list later', async () => {
  const store = await openStore();
  const url = new URL(store.url);
  const relay = await TcpRelay.start({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  const behindRelay = await createDataSource({ url: url.toString(), onPoolError: () => undefined }).initialize();
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-opt-out-'));
  const newSink = (): EventSink =>
    new EventSink({
      store: new EventRepository(behindRelay, store.secrets),
      spool: new EventSpool(folder, { bootId: uuidV7() }),
      logger: createLogger({ name: 'test', level: 'silent' }),
      writeLimitMs: 600,
      retryMs: 100,
    });
  const listed = (): Promise<{ phone_number: string; source: string }[]> =>
    store.dataSource.query('SELECT phone_number, source FROM dnc_entries');

  const orgId = await store.newOrg();
  const campaignId = await insertCampaign(store.dataSource, orgId);
  const contactId = await insertContact(store.dataSource, { orgId, campaignId }, { state: 'done' });
  const id = await insertContactCall(store.dataSource, { orgId, campaignId, contactId });
  const dead = newSink();
  await relay.vanish();
  dead.report(nodeEvent({ id, orgId }, 1, { type: 'opted_out', by: 'word' }));
  expect(await dead.flush(id, 300)).toBe(false);
  await waitFor('the file', 5_000, () => (readdirSync(folder).length > 0 ? true : undefined));
  expect(await listed()).toEqual([]);
  await dead.close();

  const next = newSink();
  next.start();
  await relay.comeBack();
  const entries = await waitFor('the entry', 15_000, async () => {
    const rows = await listed();
    return rows.length > 0 ? rows : undefined;
  });
  expect(entries).toEqual([{ phone_number: '+12025550100', source: 'opt_out' }]);
  await next.close();
  await relay.close();
  await behindRelay.destroy();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);
