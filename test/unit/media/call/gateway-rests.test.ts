import { GatewayRests } from '../../../../media/call/gateway-rests';

const host = (name: string) => ({ host: name, port: 5060, transport: 'udp' as const });
const [A, B] = [host('a.example'), host('b.example')];
const ONE = { id: 'one', ...A };
const TWO = {
  id: 'two',
  ...host('carrier.example'),
  gateways: [A, B].map((of) => ({ ...of, priority: 1, weight: 1 })),
};

function setUp() {
  let nowMs = 0;
  const log: string[] = [];
  const rests = new GatewayRests(
    { now: () => nowMs },
    { congested: (trunkId, restMs) => void log.push(`${trunkId} ${restMs}`) },
  );
  const no = (trunk: typeof ONE, at = A, retryAfterSeconds: number | null = null, status = 503): void =>
    rests.answered(trunk, at, { status, retryAfterSeconds });
  return { rests, log, no, advance: (ms: number) => void (nowMs += ms) };
}

describe('a gateway that answers 503', () => {
  test('rests for longer each time, a minute at most, until it has served a call', () => {
    const { rests, log, no, advance } = setUp();
    for (let n = 0; n < 10; n++) {
      no(ONE);
      advance(60_000);
    }
    expect(log.map((line) => Number(line.split(' ')[1]))).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
    rests.answered(ONE, A, { status: 180, retryAfterSeconds: null });
    no(ONE);
    expect(log.at(-1)).toBe('one 250');
  });

  test('rests no longer for others that were under way when it began to, and is told of once', () => {
    const { log, no, advance } = setUp();
    for (let n = 0; n < 5; n++) no(ONE);
    advance(100);
    no(ONE);
    expect(log).toEqual(['one 250']);
  });

  test('rests as long as its Retry-After says, 300 s at most; of a 500 or 502 only that counts', () => {
    const { log, no } = setUp();
    no(ONE, A, null, 500);
    no(ONE, A, null, 502);
    no(ONE, A, 7, 500);
    no(ONE, A, 86_400);
    expect(log).toEqual(['one 7000', 'one 300000']);
  });

  test('leaves its trunk to the others, and stops it when none is left, until the first has rested', () => {
    const { rests, log, no, advance } = setUp();
    no(TWO, A, 60);
    expect(log).toEqual([]);
    expect([rests.awake(TWO, [A, B]), rests.awake(ONE, [A])]).toEqual([[B], [A]]);
    advance(10_000);
    no(TWO, B, 20);
    expect(log).toEqual(['two 20000']);
    // Whoever has a turn by then may try.
    expect(rests.awake(TWO, [A, B])).toEqual([A, B]);
    advance(20_000);
    expect(rests.awake(TWO, [A, B])).toEqual([B]);
    advance(30_000);
    expect(rests.awake(TWO, [A, B])).toEqual([A, B]);
  });
});
