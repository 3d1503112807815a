import { NodeLoad } from '../../../media-node/node-load';

function setUp() {
  const behind = { starts: 0, stateEvents: 0, records: 0 };
  let nowMs = 0;
  let asked = 0;
  const load = new NodeLoad({
    maxBehindMs: 1_000,
    startsBehindMs: () => behind.starts,
    stateEventsBehindMs: () => {
      asked++;
      return behind.stateEvents;
    },
    recordsBehindMs: () => behind.records,
    nowMs: () => nowMs,
  });
  const overload = () => {
    nowMs += 100;
    return load.overload;
  };
  return { behind, load, overload, asked: () => asked };
}

test('whoever is a second behind keeps up; then the share grows with what is missing, up to all', () => {
  const { behind, overload } = setUp();
  for (const ms of [0, 500, 1_000]) {
    behind.records = ms;
    expect(overload()).toBeNull();
  }
  const shares = [1_400, 2_000, 2_600, 3_000, 60_000].map((ms) => {
    behind.records = ms;
    return overload()!.share;
  });
  expect(shares).toEqual([0.2, 0.5, 0.8, 1, 1]);
});

test('what is furthest behind is the reason', () => {
  const { behind, overload } = setUp();
  behind.records = 1_100;
  behind.stateEvents = 1_500;
  expect(overload()).toMatchObject({ reason: 'state_events' });
  behind.records = 2_000;
  expect(overload()).toMatchObject({ reason: 'records' });
  // Callers wait for a start, and nobody for a record.
  behind.starts = 1_250;
  expect(overload()).toMatchObject({ reason: 'starts' });
});

test('a thousand INVITEs at one moment ask once', () => {
  const { load, overload, asked } = setUp();
  overload();
  for (let n = 0; n < 1_000; n++) void load.overload;
  expect(asked()).toBe(1);
});
