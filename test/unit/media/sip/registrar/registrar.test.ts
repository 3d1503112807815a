import type { SipRequest } from '../../../../../media/sip/message/message';
import { noLogger } from '../../../../../media/sip/logger';
import { Registrar } from '../../../../../media/sip/registrar/registrar';
import { FakeClock } from '../../../../fakes/fake-clock';
import { MemoryBindings, registerRequest } from '../../../../fakes/media/sip/registers';

const ALICE = { trunkId: 'trunk', orgId: 'org', username: 'alice' };
const PEER = { transport: 'udp', address: '192.0.2.10', port: 5060 } as const;
const CONTACT = 'Contact: <sip:alice@192.0.2.10:5060>';

function setUp() {
  const [clock, store] = [new FakeClock(), new MemoryBindings()];
  const warnings: string[] = [];
  const logger = { ...noLogger, warn: (_: object, message: string) => void warnings.push(message) };
  const registrar = new Registrar({ clock, store, logger });
  let cseq = 0;
  const send = (
    lines: readonly string[],
    peer: typeof PEER | { transport: 'udp'; address: string; port: number } = PEER,
  ) => registrar.register(registerRequest(...lines, `CSeq: ${++cseq} REGISTER`), ALICE, peer);
  return { clock, store, registrar, warnings, send };
}

const headers = (answer: { readonly headers?: readonly string[] }, name: string): string[] =>
  (answer.headers ?? []).filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));

describe('Registrar', () => {
  it('answers with every binding and what is left of it', async () => {
    const { clock, send } = setUp();
    await send([`${CONTACT};expires=600`]);
    await clock.advance(10_500);
    const answer = await send(['Contact: <sip:b@192.0.2.10>;q=0.3;expires=120']);
    expect(answer.status).toBe(200);
    expect(headers(answer, 'Contact')).toEqual([
      '<sip:alice@192.0.2.10:5060>;expires=590',
      '<sip:b@192.0.2.10>;expires=120;q=0.3',
    ]);
    expect(headers(answer, 'Date')).toEqual([new Date(clock.epochMs()).toUTCString()]);
    expect(headers(await send([]), 'Contact')).toHaveLength(2);
  });

  it('gives Path back, and says where a flow is kept', async () => {
    const { send } = setUp();
    const lines = ['Contact: <sip:a@192.0.2.10>;+sip.instance="<urn:uuid:1>";reg-id=1', 'Supported: path, outbound'];
    const answer = await send([...lines, 'Path: <sip:192.0.2.10:5070;lr;ob>']);
    expect(headers(answer, 'Path')).toEqual(['<sip:192.0.2.10:5070;lr;ob>']);
    expect(headers(answer, 'Require')).toEqual(['outbound']);
    expect(headers(answer, 'Contact')[0]).toContain(';+sip.instance="<urn:uuid:1>";reg-id=1');
    // Another proxy came first, and keeps no flow.
    const via = 'Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx';
    expect((await send([...lines, via, 'Path: <sip:192.0.2.10:5070;lr>'])).status).toBe(439);
  });

  it('knows no other address-of-record than the user of the credentials', async () => {
    const { registrar, store } = setUp();
    const request: SipRequest = registerRequest(CONTACT);
    expect(await registrar.register(request, { ...ALICE, username: 'bob' }, PEER)).toMatchObject({ status: 403 });
    expect(store.updates).toBe(0);
  });

  it('tells what is malformed', async () => {
    const { send } = setUp();
    expect(await send(['Contact: <tel:+15551234567>'])).toEqual({ status: 400, reason: 'Contact Must Be A SIP URI' });
    expect(await send([CONTACT, 'Path: p1'])).toEqual({ status: 400, reason: 'Malformed Path' });
    expect(await send([CONTACT, `Call-ID: ${'x'.repeat(600)}`])).toMatchObject({ status: 400 });
  });

  it('answers 403 for a trunk that is gone since', async () => {
    const { store, send } = setUp();
    store.state = 'trunkless';
    expect(await send([CONTACT])).toEqual({ status: 403 });
  });

  it('lets no trunk register without end', async () => {
    const { clock, store, send } = setUp();
    for (let n = 0; n < 20; n++) expect((await send([CONTACT])).status).toBe(200);
    expect(await send([CONTACT])).toEqual({ status: 503, headers: ['Retry-After: 1'] });
    expect(store.updates).toBe(20);
    await clock.advance(1_000);
    expect((await send([CONTACT])).status).toBe(200);
  });
});

describe('while PostgreSQL is away', () => {
  it('what was known here is refreshed for a minute, and the log tells of it once', async () => {
    const { clock, store, send, warnings } = setUp();
    await send([`${CONTACT};expires=90`]);
    store.state = 'away';
    for (let n = 0; n < 3; n++) {
      await clock.advance(50_000);
      const answer = await send([`${CONTACT};expires=3600`]);
      expect(headers(answer, 'Contact')).toEqual(['<sip:alice@192.0.2.10:5060>;expires=60']);
    }
    expect(warnings).toHaveLength(1);
    store.state = 'there';
    expect(headers(await send([`${CONTACT};expires=3600`]), 'Contact')[0]).toContain('expires=3600');
  });

  it('nothing comes, goes or moves', async () => {
    const { clock, store, send } = setUp();
    await send([CONTACT]);
    store.state = 'away';
    const later = { status: 503, headers: ['Retry-After: 5'] };
    expect(await send(['Contact: <sip:other@192.0.2.10>'])).toEqual(later);
    expect(await send([`${CONTACT};expires=0`])).toEqual(later);
    expect(await send(['Contact: *', 'Expires: 0'])).toEqual(later);
    expect(await send([])).toEqual(later);
    expect(await send([CONTACT], { ...PEER, port: 5099 })).toEqual(later);
    await clock.advance(3_600_000);
    expect(await send([CONTACT])).toEqual(later);
  });

  it('a server that stands still is waited for two seconds', async () => {
    const { clock, store, send } = setUp();
    store.state = 'silent';
    const answer = send([CONTACT]);
    let answered = false;
    void answer.then(() => (answered = true));
    await clock.advance(1_900);
    expect(answered).toBe(false);
    await clock.advance(200);
    expect(await answer).toMatchObject({ status: 503 });
  });

  it('is out of order for memory as it is for PostgreSQL', async () => {
    const { store, registrar, send } = setUp();
    await send([CONTACT]);
    store.state = 'away';
    expect(await registrar.register(registerRequest(CONTACT), ALICE, PEER)).toMatchObject({ status: 500 });
  });
});
