import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { FIRST_MESSAGE, FROM, TO } from './environment-calls';
import { workflowBundle } from './workflow-bundle';

const FOLDER = join(__dirname, '../../fixtures/histories');
/** `<release>/<scenario>.json` */
const histories = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
const plainCalls = histories.filter((name) => /\/(in|out)bound-plain\.json$/.test(name));

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
});

afterAll(async () => {
  await Runtime.instance().shutdown();
});

test.each(histories)(
  '%s: running calls survive the present version of the workflows',
  async (name) => {
    const history: unknown = JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, name.replace('.json', ''));
  },
  30_000,
);

test.each(histories)('%s: neither numbers, nor texts, nor secrets', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8').replace(/"data":\s*"([^"]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  for (const secret of [FROM.slice(1), TO.slice(1), FIRST_MESSAGE, 'private'])
    expect(text.includes(secret)).toBe(false);
});

test('a plain call of either direction has at most 30 events', () => {
  expect(plainCalls.length).toBeGreaterThanOrEqual(2);
  for (const name of plainCalls) {
    const { events } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { events: unknown[] };
    expect(events.length).toBeLessThanOrEqual(30);
  }
});
