import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { Stack } from '../../support/stack';
import type { ApiAnswer } from '../../support/stack';

const describeWithSipp = hasSipp() ? describe : describe.skip;
const REPLAYED = 'idempotent-replayed';

describeWithSipp('POST /phone/outbound-call with an Idempotency-Key', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let carrier: SippCarrier;
  let trunk: string;

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
    carrier = await SippCarrier.start({ scenario: 'carrier-answer.xml' });
    trunk = await calls.trunkTo(carrier.port);
  }, 90_000);

  afterAll(async () => {
    await carrier?.stop();
    await stack?.stop();
  }, 60_000);

  const post = (number: string, key: string, more = {}): Promise<ApiAnswer<CallRecord>> =>
    calls.post(trunk, number, more, { 'Idempotency-Key': key });

  async function endAll(...ids: string[]): Promise<void> {
    await Promise.all(ids.map((id) => calls.until(id, 'in_progress')));
    await Promise.all(ids.map((id) => calls.hangup(id)));
    await Promise.all(ids.map((id) => calls.ended(id)));
  }

  it('sent again, answers as the first time and dials once', async () => {
    const number = newNumber();
    const first = await post(number, 'again');
    const second = await post(number, 'again');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.headers.get(REPLAYED)).toBeNull();
    expect(second.headers.get(REPLAYED)).toBe('true');
    expect(second.body).toEqual(first.body);
    await endAll(first.body.id);
    const afterTheEnd = await post(number, 'again');
    expect([afterTheEnd.status, afterTheEnd.headers.get(REPLAYED)]).toEqual([200, 'true']);
    expect(afterTheEnd.body.id).toBe(first.body.id);
    expect(carrier.callIds(number)).toHaveLength(1);
    expect(carrier.invites(number)).toHaveLength(1);
  }, 60_000);

  it('sent ten times at once, dials once', async () => {
    const number = newNumber();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(number, 'at once')));
    // A request that meets another one under way with its key may be told so.
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const taken = answers.filter(({ status }) => status === 200);
    expect(taken.filter(({ headers }) => headers.get(REPLAYED) === null)).toHaveLength(1);
    const ids = new Set(taken.map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    await endAll(...ids);
    expect(carrier.callIds(number)).toHaveLength(1);
  }, 60_000);

  it('sent with another body is refused, and nobody is dialled for it', async () => {
    const [number, other] = [newNumber(), newNumber()];
    const first = await post(number, 'another body');
    const changed = await post(other, 'another body');
    expect([changed.status, (changed.body as unknown as { code: string }).code]).toEqual([422, 'idempotency_mismatch']);
    await endAll(first.body.id);
    expect((await post(other, 'another body')).status).toBe(422);
    expect(carrier.callIds(other)).toEqual([]);
    expect(carrier.callIds(number)).toHaveLength(1);
  }, 60_000);

  it('does not join calls of different keys', async () => {
    const number = newNumber();
    const answers = await Promise.all([post(number, 'one'), post(number, 'two')]);
    expect(answers[0].body.id).not.toBe(answers[1].body.id);
    await endAll(...answers.map(({ body }) => body.id));
    expect(carrier.callIds(number)).toHaveLength(2);
  }, 60_000);
});
