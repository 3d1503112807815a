import { InviteBacklog } from '../../../../media/sip/invite-backlog';

import type { Flow } from '../../../../media/sip/edge/flow';

const FLOW = {} as Flow;

function message(method: string, name: string, { to = '<sip:a@b>', branch = name } = {}): Buffer {
  const lines = [
    `${method} sip:a@b SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${branch}`,
    `To: ${to}`,
    `Call-ID: ${name}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** A backlog whose turns and time are the test's. */
function setUp(costMs = 1) {
  let nowMs = 0;
  let restedMs = 0;
  let turn: (() => void) | null = null;
  const served: string[] = [];
  let strained = 0;
  const backlog = new InviteBacklog({
    clock: { now: () => nowMs },
    restedMs: () => restedMs,
    afterReading: (run) => (turn = run),
    onStrain: () => strained++,
    serve: (bytes, _flow, { late }) => {
      const text = bytes.toString('latin1');
      served.push(`${text.split(' ')[0]} ${/Call-ID: (\S+)/.exec(text)?.[1]}${late ? ' late' : ''}`);
      if (!late) nowMs += costMs;
    },
  });
  return {
    backlog,
    served,
    receive: (...args: Parameters<typeof message>) => backlog.receive(message(...args), FLOW),
    /** What is scheduled for after the reading. */
    turn: () => {
      const run = turn;
      turn = null;
      run?.();
      return run !== null;
    },
    pass: (ms: number) => (nowMs += ms),
    rest: (ms: number) => {
      nowMs += ms;
      restedMs += ms;
    },
    strained: () => strained,
  };
}

test('ACK, BYE and whatever else comes is served as it is read, and INVITEs after it', () => {
  const { receive, served, turn } = setUp();
  receive('INVITE', 'one');
  receive('BYE', 'two', { to: '<sip:a@b>;tag=1' });
  receive('INVITE', 'three');
  receive('ACK', 'four', { to: '<sip:a@b>;tag=1' });
  expect(served).toEqual(['BYE two', 'ACK four']);
  turn();
  expect(served).toEqual(['BYE two', 'ACK four', 'INVITE one', 'INVITE three']);
  expect(turn()).toBe(false);
});

test('an INVITE within a dialog keeps its place among the requests of that dialog', () => {
  const { receive, served } = setUp();
  receive('INVITE', 'offer', { to: '<sip:a@b>;tag=1' });
  receive('INFO', 'after', { to: '<sip:a@b>;tag=1' });
  expect(served).toEqual(['INVITE offer', 'INFO after']);
});

test('a CANCEL finds its INVITE served, which goes before the others', () => {
  const { receive, served, turn } = setUp();
  receive('INVITE', 'one');
  receive('INVITE', 'two');
  receive('INVITE', 'three');
  receive('CANCEL', 'two');
  receive('CANCEL', 'unknown');
  expect(served).toEqual(['INVITE two', 'CANCEL two', 'CANCEL unknown']);
  turn();
  turn();
  expect(served.slice(3)).toEqual(['INVITE one', 'INVITE three']);
});

test('a turn serves INVITEs for two milliseconds, then others have their turn', () => {
  const { receive, served, turn } = setUp(1.5);
  for (let n = 0; n < 5; n++) receive('INVITE', `i${n}`);
  turn();
  expect(served).toEqual(['INVITE i0', 'INVITE i1']);
  receive('BYE', 'bye', { to: '<sip:a@b>;tag=1' });
  turn();
  expect(served.slice(2)).toEqual(['BYE bye', 'INVITE i2', 'INVITE i3']);
});

test('while the socket is not read empty INVITEs wait, but not for ever', () => {
  const { receive, served, turn, pass } = setUp();
  receive('INVITE', 'one');
  const fill = (): void => {
    for (let n = 0; n < 32; n++) receive('BYE', 'bye', { to: '<sip:a@b>;tag=1' });
  };
  fill();
  turn();
  expect(served).not.toContain('INVITE one');
  fill();
  pass(30);
  turn();
  expect(served).toContain('INVITE one');
});

/** Ten INVITEs come with every turn, of which three are served. */
function overload({ receive, turn }: ReturnType<typeof setUp>, turns: number, from = 0): void {
  for (let n = 0; n < turns; n++) {
    for (let i = 0; i < 10; i++) receive('INVITE', `i${from + 10 * n + i}`);
    turn();
  }
}

test('under strain whoever has waited for too long is late, and those who are served have waited for 20 ms at most', () => {
  const bench = setUp();
  overload(bench, 400);
  expect(bench.strained()).toBeGreaterThan(0);
  const late = bench.served.filter((line) => line.endsWith('late')).length;
  expect(late).toBeGreaterThan(500);
  // Of what comes in 20 ms, ten turns of 2 ms, no more is waiting.
  expect(bench.backlog.size).toBeLessThan(200);
  // In the order in which they came.
  const names = bench.served.map((line) => Number(/i(\d+)/.exec(line)?.[1]));
  expect(names).toEqual(names.toSorted((a, b) => a - b));
});

test('a thread that has rested for an instant and is behind again refuses again at once', () => {
  const bench = setUp();
  overload(bench, 400);
  while (bench.turn());
  bench.rest(1);
  const before = bench.served.length;
  overload(bench, 100, 10_000);
  const waited = bench.served.slice(before).findIndex((line) => line.endsWith('late'));
  // Two in a turn of 2 ms: after 50 ms instead of 500.
  expect(waited).toBeGreaterThan(25);
  expect(waited).toBeLessThan(100);
});

test('after the strain nobody is late any more', () => {
  const bench = setUp();
  overload(bench, 400);
  while (bench.turn());
  bench.rest(1);
  const before = bench.served.length;
  overload(bench, 3, 10_000);
  while (bench.turn());
  expect(bench.served.slice(before).filter((line) => line.endsWith('late'))).toEqual([]);
  expect(bench.served).toHaveLength(before + 30);
});

test('a burst that comes at once, also after a stall, is served whole', () => {
  const { receive, served, turn, pass, rest, strained } = setUp();
  receive('BYE', 'bye', { to: '<sip:a@b>;tag=1' });
  turn();
  rest(5);
  pass(100);
  for (let n = 0; n < 100; n++) receive('INVITE', `i${n}`);
  while (turn());
  expect(served).toHaveLength(101);
  expect(served.filter((line) => line.endsWith('late'))).toEqual([]);
  expect(strained()).toBe(0);
});

test('those who call at one instant are served, however long that takes; others behind them are not', () => {
  const bench = setUp(50);
  const late = (): number => bench.served.filter((line) => line.endsWith('late')).length;
  for (let n = 0; n < 64; n++) bench.receive('INVITE', `i${n}`);
  while (bench.turn());
  expect([bench.strained(), late()]).toEqual([0, 0]);
  for (let n = 64; n < 128; n++) bench.receive('INVITE', `i${n}`);
  while (bench.turn());
  expect(late()).toBeGreaterThan(40);
  bench.rest(2_001);
  for (let n = 128; n < 192; n++) bench.receive('INVITE', `i${n}`);
  const before = late();
  while (bench.turn());
  expect(late()).toBe(before);
});

test('a few that wait are no crowd: none of them is late, however strained the thread is', () => {
  const { receive, served, turn, pass, strained } = setUp(30);
  for (let n = 0; n < 100; n++) {
    receive('INVITE', `i${n}`);
    receive('BYE', `b${n}`, { to: '<sip:a@b>;tag=1' });
    pass(30);
    turn();
  }
  expect(strained()).toBeGreaterThan(0);
  expect(served.filter((line) => line.endsWith('late'))).toEqual([]);
});

test('what waits is bounded: for one more the oldest is late', () => {
  const { backlog, receive, served } = setUp();
  for (let n = 0; n < 5_000; n++) receive('INVITE', `i${n}`);
  expect(backlog.size).toBe(4_096);
  expect(served).toHaveLength(5_000 - 4_096);
  expect(served[0]).toBe('INVITE i0 late');
});
