import type { SipRequest } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { RegisteredLines } from '../../../../../media/sip/registration/registered-lines';
import { Registration } from '../../../../../media/sip/registration/registration';
import type { RegistrationOptions } from '../../../../../media/sip/registration/registration';
import { NameError } from '../../../../../media/sip/edge/name-error';
import { FakeClock, settle } from '../../../../fakes/fake-clock';
import { TRUNK } from '../../../../fakes/fake-directory';
import { expiresOf, FakeOutOfDialog, TARGET } from '../../../../fakes/media/sip/fake-out-of-dialog';

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';

class Bench {
  readonly carrier = new FakeOutOfDialog();
  readonly clock = new FakeClock();
  readonly lines = new RegisteredLines();
  readonly states: string[] = [];
  mayAct = true;
  readonly registration: Registration;

  constructor(changes: Partial<RegistrationOptions> = {}) {
    this.registration = new Registration({
      trunk: { ...TRUNK, register: true },
      before: null,
      outOfDialog: this.carrier,
      lines: this.lines,
      clock: this.clock,
      random: () => 0,
      mayAct: () => this.mayAct,
      onChange: () => this.states.push(this.registration.current.state),
      ...changes,
    });
  }

  async start(): Promise<void> {
    this.registration.start(0);
    await this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let n = 0; n < 5; n++) await settle();
  }

  /** The Request-URI by which the carrier calls us. */
  get contact(): string {
    return /<([^>]+)>/.exec(this.carrier.sent[0]?.headers[0] ?? '')?.[1] ?? '';
  }

  called(uri = this.contact): SipRequest {
    const lines = [`INVITE ${uri} SIP/2.0`, 'CSeq: 1 INVITE', 'Content-Length: 0', '', ''];
    return parseMessage(Buffer.from(lines.join('\r\n'), 'latin1')) as SipRequest;
  }
}

describe('our registration with a carrier', () => {
  it('names our address and user, and is refreshed before it runs out', async () => {
    const bench = new Bench();
    await bench.start();
    const [first] = bench.carrier.sent;
    expect(first?.request).toMatchObject({
      method: 'REGISTER',
      requestUri: 'sip:carrier.example:5060',
      fromUri: 'sip:user@carrier.example',
      toUri: 'sip:user@carrier.example',
    });
    expect(first?.headers[0]).toMatch(/^Contact: <sip:user@192\.0\.2\.99:5060;line=[0-9a-f]{32}>;expires=600$/);
    expect(bench.registration.current).toEqual({
      state: 'registered',
      expiresAtMs: bench.clock.timeOriginMs + 600_000,
      lastStatus: 200,
      lastError: null,
    });
    await bench.pass(479_000);
    expect(bench.carrier.sent).toHaveLength(1);
    await bench.pass(2_000);
    const [one, two] = bench.carrier.sent;
    expect(two?.request.callId).toBe(one?.request.callId);
    expect(two?.request.cseq).toBe((one?.request.cseq ?? 0) + 1);
    expect(two?.headers[0]).toBe(one?.headers[0]);
  });

  it('lasts as long as the carrier grants', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => ({ status: 200, headers: ['Expires: 60'] });
    await bench.start();
    await bench.pass(49_000);
    expect(bench.carrier.sent).toHaveLength(2);
  });

  it('answers a challenge once, and goes on with the same nonce', async () => {
    const bench = new Bench();
    bench.carrier.answer = ({ request }) =>
      (request.credentials ?? []).length > 0 ? 200 : { status: 401, headers: [CHALLENGE] };
    await bench.start();
    await bench.pass(481_000);
    const credentials = bench.carrier.sent.map(({ request }) => request.credentials?.[0] ?? '');
    expect(credentials).toHaveLength(3);
    expect(credentials[0]).toBe('');
    expect(credentials[1]).toContain('nc=00000001');
    expect(credentials[2]).toContain('nc=00000002');
    expect(bench.registration.current.state).toBe('registered');
  });

  it('takes a nonce that has become stale anew', async () => {
    const bench = new Bench();
    let nonce = 'n1';
    bench.carrier.answer = ({ request }) => {
      if (request.credentials?.[0]?.includes(`nonce="${nonce}"`) === true) return 200;
      const stale = (request.credentials ?? []).length > 0 ? ', stale=true' : '';
      return { status: 401, headers: [`${CHALLENGE.replace('n1', nonce)}${stale}`] };
    };
    await bench.start();
    nonce = 'n2';
    await bench.pass(481_000);
    expect(bench.carrier.sent).toHaveLength(4);
    expect(bench.registration.current).toMatchObject({ state: 'registered', lastError: null });
  });

  it('gives up for minutes where the password is wrong, and says so', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => ({ status: 401, headers: [CHALLENGE] });
    await bench.start();
    expect(bench.carrier.sent).toHaveLength(2);
    expect(bench.registration.current).toMatchObject({
      state: 'refused',
      lastStatus: 401,
      lastError: 'the carrier does not accept user name and password (401)',
    });
    bench.registration.refresh();
    await bench.pass(269_000);
    expect(bench.carrier.sent).toHaveLength(2);
    // Again with the nonce that is known, and once more with the one that it is challenged with.
    await bench.pass(2_000);
    expect(bench.carrier.sent.length).toBeGreaterThan(2);
    expect(bench.carrier.sent.length).toBeLessThanOrEqual(4);
  });

  it('shows its credentials to nobody who answers from elsewhere', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => ({ status: 401, headers: [CHALLENGE], from: '198.51.100.66' });
    await bench.start();
    expect(bench.carrier.sent.map(({ request }) => request.credentials)).toEqual([[]]);
    expect(bench.registration.current.state).toBe('refused');
  });

  it('asks for as long as the carrier wants at least', async () => {
    const bench = new Bench();
    bench.carrier.answer = (sent) => (expiresOf(sent) < 1800 ? { status: 423, headers: ['Min-Expires: 1800'] } : 200);
    await bench.start();
    expect(bench.carrier.sent.map(expiresOf)).toEqual([600, 1800]);
    await bench.pass(1_441_000);
    expect(bench.carrier.sent.map(expiresOf)).toEqual([600, 1800, 1800]);
  });

  it('is not drawn into an endless 423', async () => {
    const bench = new Bench();
    bench.carrier.answer = (sent) => ({ status: 423, headers: [`Min-Expires: ${expiresOf(sent) + 1}`] });
    await bench.start();
    expect(bench.carrier.sent).toHaveLength(3);
    expect(bench.registration.current).toMatchObject({ state: 'failed', lastStatus: 423 });
  });

  it('is tried again later and later, and at once when the carrier is back', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => 'refused';
    await bench.start();
    expect(bench.registration.current).toMatchObject({
      state: 'failed',
      lastStatus: null,
      lastError: 'connection refused',
    });
    await bench.pass(31_000);
    expect(bench.carrier.sent).toHaveLength(2);
    await bench.pass(31_000);
    expect(bench.carrier.sent).toHaveLength(2);
    bench.carrier.answer = () => 200;
    bench.registration.refresh();
    await bench.pass(0);
    expect(bench.registration.current.state).toBe('registered');
    expect(bench.states).toEqual(['failed', 'failed', 'registered']);
  });

  it('comes again when a Retry-After says so', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => ({ status: 503, headers: ['Retry-After: 120'] });
    await bench.start();
    await bench.pass(119_000);
    expect(bench.carrier.sent).toHaveLength(1);
    await bench.pass(2_000);
    expect(bench.carrier.sent).toHaveLength(2);
  });

  it('goes to the next address where one does not answer', async () => {
    const bench = new Bench();
    const second = { ...TARGET, address: '192.0.2.2' };
    bench.carrier.targets = [TARGET, second];
    bench.carrier.answer = ({ target }) => (target === second ? 200 : 'silent');
    await bench.start();
    expect(bench.carrier.sent.map(({ target }) => target.address)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(bench.registration.current.state).toBe('registered');
  });

  it('says what is wrong with the name', async () => {
    const bench = new Bench();
    bench.carrier.failure = new NameError('carrier.example', 'not_found');
    await bench.start();
    expect(bench.registration.current).toMatchObject({
      state: 'failed',
      lastError: 'carrier.example: no such host name',
    });
  });

  it('stands until it runs out, whatever becomes of the refresh', async () => {
    const bench = new Bench();
    await bench.start();
    bench.carrier.answer = () => 'silent';
    await bench.pass(485_000);
    expect(bench.registration.current).toMatchObject({
      state: 'failed',
      expiresAtMs: bench.clock.timeOriginMs + 600_000,
    });
    expect(bench.lines.find(bench.called(), '192.0.2.1')).toBeDefined();
    await bench.pass(120_000);
    expect(bench.registration.current).toMatchObject({ state: 'failed', expiresAtMs: null });
    expect(bench.lines.find(bench.called(), '192.0.2.1')).toBeUndefined();
  });

  it('is made anew when its connection breaks', async () => {
    const bench = new Bench({ trunk: { ...TRUNK, register: true, transport: 'tcp' } });
    bench.carrier.targets = [{ ...TARGET, transport: 'tcp' }];
    await bench.start();
    bench.carrier.breakFlows();
    await bench.pass(3_000);
    expect(bench.carrier.sent).toHaveLength(2);
    expect(bench.carrier.sent[0]?.request.requestUri).toBe('sip:carrier.example:5060;transport=tcp');
  });
});

describe('the end of a registration', () => {
  it('takes our Contact back, and only ours', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.registration.stop({ unregister: true });
    const last = bench.carrier.sent.at(-1)!;
    expect([bench.carrier.sent.length, expiresOf(last)]).toEqual([2, 0]);
    expect(last.headers[0]).toContain(bench.contact);
    expect(last.headers.join('\n')).not.toContain('*');
    expect(bench.clock.armed).toBe(0);
  });

  it('says nothing where it is no longer ours', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.registration.stop({ unregister: false });
    await bench.pass(3_600_000);
    expect(bench.carrier.sent).toHaveLength(1);
  });

  it('has nothing to take back where nothing was granted', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => 403;
    await bench.start();
    await bench.registration.stop({ unregister: true });
    expect(bench.carrier.sent).toHaveLength(1);
  });

  it('waits for a REGISTER that is under way', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => 'later';
    await bench.start();
    let stopped = false;
    const end = bench.registration.stop({ unregister: true }).then(() => (stopped = true));
    await settle();
    expect(stopped).toBe(false);
    bench.carrier.release();
    await end;
    expect(bench.carrier.sent).toHaveLength(1);
  });
});

describe('a registration that may be another node’s by now', () => {
  it('sends nothing until it is known whose it is', async () => {
    const bench = new Bench();
    bench.mayAct = false;
    await bench.start();
    await bench.pass(60_000);
    expect(bench.carrier.sent).toEqual([]);
    bench.mayAct = true;
    await bench.pass(1_000);
    expect(bench.carrier.sent).toHaveLength(1);
  });

  it('begins with what its last owner knew', () => {
    const refused = { state: 'refused', expiresAtMs: 5, lastStatus: 401, lastError: 'wrong' } as const;
    expect(new Bench({ before: refused }).registration.current).toEqual({ ...refused, expiresAtMs: null });
    const fine = { state: 'registered', expiresAtMs: 5, lastStatus: 200, lastError: null } as const;
    expect(new Bench({ before: fine }).registration.current.state).toBe('registering');
  });
});

describe('a call to our Contact', () => {
  it('is known by its line and the address that it comes from', async () => {
    const bench = new Bench();
    await bench.start();
    const identity = { trunkId: TRUNK.id, orgId: TRUNK.orgId, username: 'user', registeredUser: 'user' };
    expect(bench.lines.find(bench.called(), '192.0.2.1')?.identity).toEqual(identity);
    expect(bench.lines.find(bench.called(), '198.51.100.66')).toBeUndefined();
    const [withoutLine = ''] = bench.contact.split(';');
    expect(bench.lines.find(bench.called(withoutLine), '192.0.2.1')).toBeUndefined();
    const guessed = `${withoutLine};line=${'0'.repeat(32)}`;
    expect(bench.lines.find(bench.called(guessed), '192.0.2.1')).toBeUndefined();
    await bench.registration.stop({ unregister: true });
    expect(bench.lines.find(bench.called(), '192.0.2.1')).toBeUndefined();
  });
});
