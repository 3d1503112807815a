/** Health of outbound trunks: what the API says, what their workflows are told, and which node looks after them. */
import { Client, Connection } from '@temporalio/client';

import type { CheckStep } from '../../../contract/trunk-check';
import { TRUNK_USERNAME, TRUNK_PASSWORD, OutboundCalls } from '../../support/outbound';
import { freePort } from '../../support/free-ports';
import { hasKamailio, Kamailio } from '../../support/kamailio';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { headerOf } from '../../support/phone/sip-text';
import { Registrar } from '../../support/registrar';
import type { SeenRequest } from '../../support/registrar';
import { SecondNode } from '../../support/second-node';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

interface Health {
  readonly state: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly checked_at: string | null;
  readonly rtt_ms: number | null;
  readonly node: string | null;
  readonly registration: { readonly state: string; readonly last_error: string | null } | null;
}

const itWithKamailio = hasKamailio() ? it.concurrent : it.skip;
const CREDENTIALS = { username: TRUNK_USERNAME, password: TRUNK_PASSWORD };

let stack: Stack;
let calls: OutboundCalls;

beforeAll(async () => {
  stack = await Stack.start();
  calls = await OutboundCalls.create(stack);
}, 120_000);

afterAll(() => stack?.stop(), 60_000);

const path = (trunkId: string): string => `/phone/sip/outbound-trunks/${trunkId}`;

async function healthOf(trunkId: string): Promise<Health> {
  return (await stack.api<{ health: Health }>('GET', path(trunkId))).body.health;
}

async function until(trunkId: string, fits: (health: Health) => boolean, limitMs: number): Promise<Health> {
  let last: Health | undefined;
  return waitFor(`health of ${trunkId}`, limitMs, async () => {
    last = await healthOf(trunkId);
    return fits(last) ? last : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}`, { cause: error });
  });
}

/** What the check of a trunk says of our registration with it. */
async function registrationStep(trunkId: string): Promise<CheckStep> {
  const { body } = await stack.api<{ steps: CheckStep[] }>('POST', `${path(trunkId)}/check`);
  return body.steps.find(({ step }) => step === 'registration')!;
}

const expiresOf = ({ message }: SeenRequest): number => Number(headerOf(message, 'expires'));

// They wait for pings and registrations, each for those of its own trunk: all at the same time.
describe('a trunk', () => {
  it.concurrent(
    'that goes down and comes back says why in the API, and its workflow is told of each change of state',
    async () => {
      const port = await freePort();
      const trunkId = await calls.trunkTo(port);
      const connection = await Connection.connect({ address: stack.temporalAddress });
      let carrier: Registrar | undefined;
      try {
        const handle = new Client({ connection }).workflow.getHandle(`trunk:${trunkId}`);

        const down = await until(trunkId, ({ state }) => state === 'down', 40_000);
        expect(down.reasons).toEqual([
          { code: 'connection_refused', message: `127.0.0.1:${port}/udp: connection refused` },
        ]);
        expect(down.node).not.toBeNull();

        carrier = await Registrar.open({ port });
        const healthy = await until(trunkId, ({ state }) => state === 'healthy', 60_000);
        expect(healthy.reasons).toEqual([]);
        expect(healthy.rtt_ms).not.toBeNull();

        const told = await waitFor('the last signal', 10_000, async () => {
          const { events } = await handle.fetchHistory();
          const signals = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
            if (signal?.signalName !== 'healthChanged') return [];
            const data = signal.input?.payloads?.[0]?.data ?? new Uint8Array();
            return [JSON.parse(Buffer.from(data).toString()) as Health & { readonly nodeId: string }];
          });
          return signals.at(-1)?.state === 'healthy' ? signals : undefined;
        });
        expect(told.map(({ state }) => state)).toEqual(['degraded', 'down', 'healthy']);
        expect(told[1]).toMatchObject({ reasons: down.reasons, nodeId: down.node });
      } finally {
        await stack.api('DELETE', path(trunkId));
        carrier?.close();
        await connection.close();
      }
    },
    150_000,
  );

  it.concurrent(
    'is not worse for a carrier that does not know what to do with OPTIONS',
    async () => {
      const carrier = await Registrar.open();
      carrier.answer = () => ({ status: 405 });
      try {
        const trunkId = await calls.trunkTo(carrier.port);
        await until(trunkId, ({ state }) => state === 'healthy', 20_000);
        await stack.api('DELETE', path(trunkId));
      } finally {
        carrier.close();
      }
    },
    40_000,
  );

  it.concurrent(
    'that we register with knows us until that is turned off, or the trunk deleted',
    async () => {
      const carrier = await Registrar.open({ credentials: CREDENTIALS });
      try {
        const trunkId = await calls.trunkTo(carrier.port, { register: true });
        await until(trunkId, ({ registration }) => registration?.state === 'registered', 20_000);
        const [binding] = carrier.bindings.keys();
        expect(binding).toContain(`${TRUNK_USERNAME}@127.0.0.1:${stack.sipPort}`);
        const told = await registrationStep(trunkId);
        expect([told.ok, told.detail]).toEqual([
          true,
          expect.stringMatching(/with our credentials: 200 .* 1 contact .* looks after it: registered until 20/),
        ]);
        expect([...carrier.bindings.keys()]).toEqual([binding]);

        await stack.api('PATCH', path(trunkId), { register: false });
        await waitFor('the end of the registration', 10_000, () => carrier.bindings.size === 0 || undefined);
        expect((await healthOf(trunkId)).registration).toBeNull();

        await stack.api('PATCH', path(trunkId), { register: true });
        await waitFor('the registration', 10_000, () => carrier.bindings.size === 1 || undefined);
        await stack.api('DELETE', path(trunkId));
        await waitFor('the end of the registration', 10_000, () => carrier.bindings.size === 0 || undefined);
      } finally {
        carrier.close();
      }
    },
    80_000,
  );

  it.concurrent(
    'that we register with is down where it does not accept our password, until that is changed',
    async () => {
      const carrier = await Registrar.open({ credentials: CREDENTIALS });
      try {
        const trunkId = await calls.trunkTo(carrier.port, { register: true, password: 'wrong' });
        const { reasons } = await until(trunkId, ({ state }) => state === 'down', 20_000);
        expect(reasons).toEqual([
          {
            code: 'registration_refused',
            message: 'registration: the carrier does not accept user name and password (401)',
          },
        ]);
        expect(await registrationStep(trunkId)).toMatchObject({
          ok: false,
          detail: expect.stringMatching(/refused, the carrier does not accept user name and password/),
          cause: expect.stringMatching(/password is wrong/),
        });
        await stack.api('PATCH', path(trunkId), { password: TRUNK_PASSWORD });
        await until(
          trunkId,
          ({ state, registration }) => state === 'healthy' && registration?.state === 'registered',
          20_000,
        );
        await stack.api('DELETE', path(trunkId));
      } finally {
        carrier.close();
      }
    },
    60_000,
  );

  itWithKamailio(
    'at a Kamailio registers us, calls us by our Contact, and is registered with again after it has forgotten us',
    async () => {
      const port = await freePort();
      let kamailio = await Kamailio.start(port, CREDENTIALS);
      const media = new PhoneMedia();
      let caller: Phone | undefined;
      try {
        await stack.api('POST', '/phone', { name: 'Desk', type: 'inbound', first_message: 'Hello!' });
        const trunkId = await calls.trunkTo(port, { register: true });
        const registered = await until(trunkId, ({ registration }) => registration?.state === 'registered', 20_000);
        expect(registered.state).toBe('healthy');

        caller = await Phone.open({ media, server: { address: '127.0.0.1', port } });
        const call = await caller.call(TRUNK_USERNAME);
        // Its workflow has begun when a call is answered, and stores the record by itself.
        const record = await waitFor('the record of the call', 10_000, async () => {
          const { body } = await stack.api<{ items: { trunk_id: string }[] }>('GET', '/phone/calls?direction=inbound');
          return body.items[0];
        });
        expect(record.trunk_id).toBe(trunkId);
        await call.hangup();

        await kamailio.stop();
        await until(trunkId, ({ state }) => state === 'down', 60_000);
        kamailio = await Kamailio.start(port, CREDENTIALS);
        await until(trunkId, ({ state }) => state === 'healthy', 60_000);
        const again = await waitFor('a call by the new registration', 15_000, async () =>
          caller?.call(TRUNK_USERNAME).catch(() => undefined),
        );
        await again.hangup();
        await stack.api('DELETE', path(trunkId));
      } finally {
        caller?.close();
        await media.close();
        await kamailio.stop();
      }
    },
    200_000,
  );
});

describe('trunks of two nodes', () => {
  let carrier: Registrar;
  let second: SecondNode | undefined;
  const trunkIds: string[] = [];

  beforeAll(async () => {
    carrier = await Registrar.open();
    for (let n = 0; n < 6; n++) {
      trunkIds.push(await calls.trunkTo(carrier.port, { register: true, username: `line-${n}` }));
    }
  }, 60_000);

  afterAll(async () => {
    await second?.stop();
    for (const trunkId of trunkIds) await stack.api('DELETE', path(trunkId));
    carrier?.close();
  }, 30_000);

  /** By node: how many it looks after. */
  async function owners(): Promise<Map<string, string[]>> {
    const byNode = new Map<string, string[]>();
    for (const trunkId of trunkIds) {
      const { node } = await healthOf(trunkId);
      byNode.set(node ?? '', [...(byNode.get(node ?? '') ?? []), trunkId]);
    }
    return byNode;
  }

  const boundTo = (port: number): string[] => [...carrier.bindings.keys()].filter((uri) => uri.includes(`:${port};`));

  /** A second node lives, and each has half of them. */
  async function shared(): Promise<SecondNode> {
    const { sipPort } = (second ??= await SecondNode.start(stack));
    await waitFor('an even share', 40_000, async () => {
      const theirs = (await owners()).get('second-node') ?? [];
      const registered = [boundTo(sipPort).length, boundTo(stack.sipPort).length];
      return theirs.length >= 3 && registered.every((count) => count >= 3) ? true : undefined;
    });
    return second;
  }

  async function allOfOne(limitMs: number): Promise<void> {
    await waitFor('all trunks at the node that lives', limitMs, async () => {
      const byNode = await owners();
      return !byNode.has('second-node') && !byNode.has('') && boundTo(stack.sipPort).length >= 6 ? true : undefined;
    });
  }

  it('are shared, and each is taken leave of by the node that had it before', async () => {
    await shared();
    expect([...carrier.bindings.keys()].length).toBe(6);
  }, 90_000);

  it('are all looked after again when a node is killed', async () => {
    const killed = await shared();
    second = undefined;
    const before = boundTo(killed.sipPort).length;
    await killed.stop();
    await allOfOne(30_000);
    expect(before).toBeGreaterThanOrEqual(3);
    // The dead node's registrations are nobody's to take back: they run out.
    expect(boundTo(killed.sipPort)).toHaveLength(before);
    for (const uri of boundTo(killed.sipPort)) carrier.bindings.delete(uri);
  }, 100_000);

  it('are not touched any more by a node that stood still and lost them', async () => {
    const still = await shared();
    still.pause();
    await allOfOne(30_000);
    const resumedMs = performance.now();
    still.resume();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    const late = carrier.requests.filter(({ from, atMs }) => from.port === still.sipPort && atMs > resumedMs);
    expect(late.map((request) => `${request.method} ${expiresOf(request)}`)).toEqual([]);
    expect(boundTo(stack.sipPort).length).toBeGreaterThanOrEqual(6);
    for (const uri of boundTo(still.sipPort)) carrier.bindings.delete(uri);
  }, 120_000);
});
