/** Which agent answers a real INVITE, as its record says it and as `route-preview` said it before. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createDataSource } from '../../../store/data-source';
import { ApiKeyRepository } from '../../../store/repositories/api-key-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { SecretBox } from '../../../store/secrets';
import { PhoneMedia } from '../../support/phone/media';
import { CallRefused } from '../../support/phone/dialling';
import { Phone } from '../../support/phone/phone';
import { Stack } from '../../support/stack';
import type { ApiAnswer } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const HEADER = 'X-OPENCX-AGENT-ID';
const ASSIGNED = '+15551234567';
const ON_TRUNK = '+442079460000';
const UNKNOWN = '+15559990000';
/** As a carrier shows it that leaves out what is the same for all its customers. */
const CALLER = '5557654321';
const UNKNOWN_ID = '01937f3e-6c10-7f33-8a44-91b1a2c3d402';

interface Credentials {
  readonly auth_username: string;
  readonly auth_password: string;
}

interface Step {
  readonly rule: string;
  readonly matched: boolean;
  readonly reason: string;
}

interface Routed {
  readonly id: string;
  readonly phone_agent_id: string;
  readonly to: string;
  readonly from: string;
  readonly sip: { readonly call_id: string };
  readonly routing: { readonly steps: readonly Step[]; readonly agent_id: string };
}

interface Preview {
  readonly steps: readonly Step[];
  readonly agent_id: string | null;
  readonly rule: string | null;
  readonly dialed_number: string | null;
  readonly sip_status: number | null;
}

describe('routing', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let phone: Phone;
  let outbound: string;
  let oldest: string;
  let young: string;

  const agent = async (name: string, type: string): Promise<string> => {
    const made = await stack.api<{ id: string }>('POST', '/phone', { name, type, silence_timeout_seconds: 60 });
    return made.body.id;
  };
  const preview = async (dialed: string, agentId?: string): Promise<Preview> => {
    const body = { dialed_number: dialed, ...(agentId === undefined ? {} : { headers: { [HEADER]: agentId } }) };
    return (await stack.api<Preview>('POST', '/phone/sip/inbound-trunk/route-preview', body)).body;
  };

  beforeAll(async () => {
    stack = await Stack.start();
    outbound = await agent('Outbound', 'outbound');
    oldest = await agent('Oldest', 'inbound');
    young = await agent('Young', 'inbound');
    const listed = { phone_numbers: [ASSIGNED, ON_TRUNK] };
    const trunk = await stack.api<Credentials>('POST', '/phone/sip/inbound-trunk', listed);
    const numbers = await stack.api<{ items: { id: string; phone_number: string }[] }>('GET', '/phone/numbers');
    const assigned = numbers.body.items.find(({ phone_number: number }) => number === ASSIGNED);
    await stack.api('PUT', `/phone/sip/agents/${outbound}/inbound-numbers`, { phone_number_ids: [assigned?.id] });
    media = new PhoneMedia();
    phone = await openPhone(trunk.body);
  }, 90_000);

  afterAll(async () => {
    phone?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  async function openPhone(trunk: Credentials): Promise<Phone> {
    const opened = await Phone.open({
      media,
      user: CALLER,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.auth_username, password: trunk.auth_password },
    });
    // The node knows the new configuration when it takes the credentials.
    await waitFor('a call that is taken', 10_000, async () => {
      const call = await opened.call(UNKNOWN).catch(() => undefined);
      await call?.hangup();
      return call;
    });
    return opened;
  }

  /** The record of a call, once it stands. */
  async function recordOf(
    from: Phone,
    dialed: string,
    agentId?: string,
    api: <Body>(method: string, path: string) => Promise<ApiAnswer<Body>> = (method, path) => stack.api(method, path),
  ): Promise<Routed> {
    const call = await from.call(dialed, agentId === undefined ? {} : { headers: [[HEADER, agentId]] });
    await call.hangup();
    return await waitFor('the record', 15_000, async () => {
      const page = await api<{ items: Routed[] }>('GET', '/phone/calls?limit=5');
      const found = page.body.items.find(({ sip }) => sip.call_id === call.sipCallId);
      return found === undefined ? undefined : (await api<Routed>('GET', `/phone/calls/${found.id}`)).body;
    });
  }

  const who = (name: string): string => ({ outbound, oldest, young })[name] ?? name;

  it.each([
    [
      'an assigned number: its agent, although of type outbound',
      ASSIGNED,
      null,
      'number_assignment',
      'outbound',
      ASSIGNED,
    ],
    ['without the plus sign', '15551234567', null, 'number_assignment', 'outbound', ASSIGNED],
    ['behind 00', '0015551234567', null, 'number_assignment', 'outbound', ASSIGNED],
    ['behind 011', '01115551234567', null, 'number_assignment', 'outbound', ASSIGNED],
    ['in national form', '5551234567', null, 'number_assignment', 'outbound', ASSIGNED],
    ['on the trunk: the oldest inbound agent', ON_TRUNK, null, 'trunk_number', 'oldest', ON_TRUNK],
    ['on the trunk, in national form', '02079460000', null, 'trunk_number', 'oldest', ON_TRUNK],
    ['an unknown number: the oldest inbound agent', UNKNOWN, null, 'fallback', 'oldest', UNKNOWN],
    ['an extension: the oldest inbound agent', '4711', null, 'fallback', 'oldest', '4711'],
    ['a header before the assignment', ASSIGNED, 'young', 'header', 'young', ASSIGNED],
    ['a header that names an outbound agent', UNKNOWN, 'outbound', 'header', 'outbound', UNKNOWN],
    ['an unknown header id', ASSIGNED, UNKNOWN_ID, 'number_assignment', 'outbound', ASSIGNED],
    ['a header that is no id', ON_TRUNK, 'sales', 'trunk_number', 'oldest', ON_TRUNK],
  ])(
    '%s',
    async (_, dialed, named, rule, agentName, to) => {
      const agentId = named === null ? undefined : who(named);
      const foretold = await preview(dialed, agentId);
      expect(foretold).toMatchObject({ rule, agent_id: who(agentName), dialed_number: to, sip_status: null });
      const record = await recordOf(phone, dialed, agentId);
      expect(record).toMatchObject({ phone_agent_id: who(agentName), to });
      expect(record.routing).toEqual({ steps: foretold.steps, agent_id: foretold.agent_id });
      expect(record.routing.steps.at(-1)).toMatchObject({ rule, matched: true });
    },
    60_000,
  );

  it('stands in the events of the call too, and no number in the log', async () => {
    const { id, routing } = await recordOf(phone, '15551234567');
    const routed = await waitFor('the event', 10_000, async () => {
      const page = await stack.api<{ items: { type: string; data: unknown }[] }>('GET', `/phone/calls/${id}/events`);
      return page.body.items.find(({ type }) => type === 'routed');
    });
    expect(routed.data).toMatchObject({ rule: 'number_assignment', steps: routing.steps, agent_id: outbound });
    for (const digits of ['5551234567', '2079460000', '5559990000']) expect(stack.log).not.toContain(digits);
  }, 60_000);

  it('of a number of another organisation: refused to be had, and unknown when it is called', async () => {
    const key = await newOrganisation();
    const asked = <Body>(method: string, path: string, body?: unknown): Promise<ApiAnswer<Body>> =>
      stack.api<Body>(method, path, body, { authorization: `Bearer ${key}` });
    const foreign = (await asked<{ id: string }>('POST', '/phone', { name: 'Foreign' })).body.id;
    const taken = await asked('POST', '/phone/numbers', { phone_number: ASSIGNED, method: 'attest' });
    expect(taken).toMatchObject({ status: 409, body: { code: 'number_taken' } });
    const listed = await asked('POST', '/phone/sip/inbound-trunk', { phone_numbers: [ASSIGNED] });
    expect(listed).toMatchObject({ status: 422, body: { code: 'number_not_verified' } });
    const trunk = (await asked<Credentials>('POST', '/phone/sip/inbound-trunk', {})).body;

    const ours = await recordOf(phone, ASSIGNED, foreign);
    expect(ours).toMatchObject({ phone_agent_id: outbound });
    expect(ours.routing.steps[0]).toMatchObject({ rule: 'header', matched: false });

    const theirs = await openPhone(trunk);
    const record = await recordOf(theirs, ASSIGNED, outbound, asked).finally(() => theirs.close());
    expect(record).toMatchObject({ phone_agent_id: foreign });
    expect(record.routing.steps.map(({ rule, matched }) => [rule, matched])).toEqual([
      ['header', false],
      ['number_assignment', false],
      ['trunk_number', false],
      ['fallback', true],
    ]);
  }, 60_000);

  /** The operator's key of a second organisation. */
  async function newOrganisation(): Promise<string> {
    const dataSource = await createDataSource({ url: stack.databaseUrl }).initialize();
    try {
      const { id: orgId } = await new OrganisationRepository(dataSource).create({ name: 'Second' });
      const secrets = new SecretBox(readFileSync(join(stack.dataDir, 'secrets-key'), 'utf8').trim());
      const keys = new ApiKeyRepository(dataSource, secrets);
      return (await keys.create({ orgId, name: 'test', scopes: ['full'], operator: true })).key;
    } finally {
      await dataSource.destroy();
    }
  }

  it('refuses with 480 when there is no inbound agent, and says so before', async () => {
    for (const id of [oldest, young]) await stack.api('PATCH', `/phone/${id}`, { type: 'outbound' });
    expect(await preview(UNKNOWN)).toMatchObject({ rule: null, agent_id: null, sip_status: 480 });
    const status = await waitFor('a refusal', 10_000, async () => {
      const refused: unknown = await phone.call(UNKNOWN).catch((error: unknown) => error);
      return refused instanceof CallRefused ? refused.status : undefined;
    });
    expect(status).toBe(480);
    // An outbound agent still answers the number that is its own.
    expect(await recordOf(phone, ASSIGNED)).toMatchObject({ phone_agent_id: outbound });
  }, 60_000);
});
