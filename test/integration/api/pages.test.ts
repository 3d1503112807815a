/** The commands of the documentation as its readers paste them, page by page: those that ask nothing but our API. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { ShellCommands } from '../../support/shell';
import { ApiServer } from './support/api-server';

const DOCS = join(PROJECT_ROOT, 'docs');
const SHELL_BLOCK = /^```sh\n([^]*?)^```$/gm;
const API = 'localhost:8080';
/** Of the running product: its key file, its media node; and of others. */
const NOT_OURS = /\.data\/|localhost:8081|https:|npm start/;

/** An answer that is no success fails the script. */
const STRICT = `
  curl() { command curl -sS --fail-with-body "$@"; }
`;

const pages = [
  'first-call.md',
  'provisioning.md',
  'campaigns.md',
  ...readdirSync(join(DOCS, 'phone-systems')).map((name) => join('phone-systems', name)),
];

function commandsOf(page: string): string[] {
  const blocks = [...readFileSync(join(DOCS, page), 'utf8').matchAll(SHELL_BLOCK)].map(([, block = '']) => block);
  return blocks.filter((block) => block.includes(API) && !NOT_OURS.test(block));
}

const withCommands = pages.filter((page) => commandsOf(page).length > 0);

test('pages have commands', () => {
  expect(withCommands.length).toBeGreaterThan(6);
});

describe.each(withCommands)('%s', (page) => {
  let api: ApiServer;
  let variables: Record<string, string>;

  /** What the README's first five minutes leave behind. */
  beforeEach(async () => {
    api = await ApiServer.start();
    await api.seeNode();
    const { agentId, trunkId } = await api.createDialler();
    await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    const { body: call } = await api.post('/phone/outbound-call', {
      phone_agent_id: agentId,
      phone_number: '+15559876543',
    });
    variables = {
      AUTH: `Authorization: Bearer ${api.tenant.key}`,
      AGENT_ID: agentId,
      TRUNK_ID: trunkId,
      CALL_ID: call.id,
    };
  });
  afterEach(() => api.stop());

  ShellCommands.itWithCurl('each of its requests is answered with success', async () => {
    const script = commandsOf(page).join('\n').replaceAll(API, api.url);
    const printed = await ShellCommands.run(STRICT + script, variables);
    expect(printed).not.toMatch(/"statusCode"/);
    expect(printed.length).toBeGreaterThan(0);
  });
});
