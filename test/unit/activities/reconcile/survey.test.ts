import { survey } from '../../../../activities/reconcile/survey';
import type { SurveyInput } from '../../../../activities/reconcile/survey';
import type { LiveCall } from '../../../../contract/commands';
import { readMediaNodeAttribute } from '../../../../workflows/ids';

const NOW_MS = 100_000;
const live = (callId: string, sinceMs = 10_000): LiveCall => ({
  callId,
  state: 'answered',
  sinceMs,
});
const row = (callId: string, answered = true) => ({
  callId,
  nodeId: 'n1',
  bootId: 'b1',
  answeredAt: answered ? new Date(1_000) : null,
});

function look(changes: Partial<SurveyInput>): string[] {
  return survey({
    nowMs: NOW_MS,
    rows: [],
    running: [],
    nodes: [{ nodeId: 'n1', bootId: 'b1', calls: [] }],
    presence: new Map([['n1', { nodeId: 'n1', bootId: 'b1', silentMs: 100 }]]),
    ...changes,
  }).map(({ cause, callId }) => `${cause} ${callId}`);
}

const placed = (callId: string, mediaNode: string | null = 'n1/b1', ended = false) => ({
  callId,
  node: readMediaNodeAttribute(mediaNode),
  ended,
});

test('three views that agree show nothing', () => {
  const nodes = [{ nodeId: 'n1', bootId: 'b1', calls: [live('c1')] }];
  expect(look({ rows: [row('c1')], running: [placed('c1')], nodes })).toEqual([]);
});

test('a call that lives without a workflow is found, a young one is left alone', () => {
  const nodes = [{ nodeId: 'n1', bootId: 'b1', calls: [live('old'), live('young', NOW_MS - 1_000)] }];
  expect(look({ nodes })).toEqual(['live_without_workflow old']);
});

test('an open row without a workflow is found', () => {
  expect(look({ rows: [row('c1', false)] })).toEqual(['open_without_workflow c1']);
});

test('a running call that its live node does not list is found', () => {
  expect(look({ rows: [row('c1')], running: [placed('c1')] })).toEqual(['forgotten_by_node c1']);
});

test('a node that did not answer is left out of account while it shows signs of life', () => {
  expect(look({ rows: [row('c1')], running: [placed('c1')], nodes: [] })).toEqual([]);
});

test.each([
  ['silent for long', { nodeId: 'n1', bootId: 'b1', silentMs: 60_000 }],
  ['replaced by another boot', { nodeId: 'n1', bootId: 'b2', silentMs: 100 }],
])('a running call on a node that is %s is found', (_, presence) => {
  const seen = look({ rows: [row('c1')], running: [placed('c1')], nodes: [], presence: new Map([['n1', presence]]) });
  expect(seen).toEqual(['node_gone c1']);
});

test('a call that no node has yet, or that has just begun or ended, is left alone', () => {
  expect(look({ rows: [row('c1')], running: [placed('c1', null), placed('c2')] })).toEqual([]);
});

test('a call that has ended and waits for its records is left alone', () => {
  expect(look({ rows: [row('c1')], running: [placed('c1', 'n1/b1', true)] })).toEqual([]);
});

test('a node id may contain slashes', () => {
  const nodes = [{ nodeId: 'rack/1', bootId: 'b1', calls: [live('c1')] }];
  expect(look({ rows: [row('c1')], running: [placed('c1', 'rack/1/b1')], nodes })).toEqual([]);
});
