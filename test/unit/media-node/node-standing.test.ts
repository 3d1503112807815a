import { NodeStanding } from '../../../media-node/node-standing';

function setUp() {
  const time = { nowMs: 50, epochMs: 1_700_000_000_000 };
  let losses = 0;
  const standing = new NodeStanding({
    nowMs: () => time.nowMs,
    epochMs: () => time.epochMs,
    onLost: () => losses++,
  });
  const pass = (ms: number): void => {
    time.nowMs += ms;
    time.epochMs += ms;
  };
  return { standing, time, pass, losses: () => losses };
}

test('a loop that runs leaves no doubt, also when it is slow', () => {
  const { standing, pass } = setUp();
  for (let i = 0; i < 20; i++) {
    pass(2_500);
    standing.tick();
    expect([standing.current, standing.justBack]).toEqual(['good', false]);
  }
});

test('after a standstill the first who asks hears of the doubt, before any tick', () => {
  const { standing, pass } = setUp();
  pass(4_000);
  expect(standing.current).toBe('doubtful');
  standing.tick();
  expect(standing.current).toBe('doubtful');
});

test('a machine that slept is noticed by the wall clock alone; one that is set back is not', () => {
  const { standing, time } = setUp();
  time.epochMs -= 3_600_000;
  standing.tick();
  expect(standing.current).toBe('good');
  time.epochMs += 8_000;
  expect(standing.current).toBe('doubtful');
});

test('only what was asked after the standstill ends the doubt', () => {
  const { standing, pass } = setUp();
  const before = standing.ask();
  pass(8_000);
  before();
  expect(standing.current).toBe('doubtful');
  before();
  expect(standing.current).toBe('doubtful');
  standing.ask()();
  expect(standing.current).toBe('good');
});

test('an answer to what was asked before another doubt does not end that one', () => {
  const { standing, pass } = setUp();
  standing.doubt();
  const asked = standing.ask();
  pass(10);
  standing.doubt();
  asked();
  expect(standing.current).toBe('doubtful');
});

test('work that reaches it right after is told apart for a while', () => {
  const { standing, pass } = setUp();
  pass(8_000);
  standing.tick();
  standing.ask()();
  expect([standing.current, standing.justBack]).toEqual(['good', true]);
  pass(1_900);
  expect(standing.justBack).toBe(true);
  pass(100);
  expect(standing.justBack).toBe(false);
});

test('a loss is final and told once', () => {
  const { standing, losses } = setUp();
  standing.lose();
  standing.lose();
  standing.ask()();
  expect(standing.current).toBe('lost');
  expect(losses()).toBe(1);
});
