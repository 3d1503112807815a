import { inboundSteps, inboundVerdict } from '../../../../api/trunk-check/inbound-steps';
import type { InboundCheckFacts } from '../../../../api/trunk-check/inbound-steps';
import type { SipBinding } from '../../../../contract/registration';
import type { InboundAttempt, InboundTrunkFindings } from '../../../../contract/trunk-check';
import type { FoundBinding } from '../../../../store/repositories/registration-repository';
import { BINDING } from '../../../fakes/media/sip/registers';

const FINDINGS: InboundTrunkFindings = {
  knowsTrunk: true,
  unavailable: null,
  endpoint: { addresses: ['203.0.113.9'], status: 200, ours: true, error: null, durationMs: 4.26 },
  attempts: [],
  mediaPort: { port: 20_000, error: null, durationMs: 1 },
};

function factsWith(...nodes: readonly Partial<InboundTrunkFindings>[]): InboundCheckFacts {
  return {
    sipEndpoint: 'sip.example.com',
    username: 'trunk-1',
    phoneNumbers: ['+15551234567'],
    routed: [
      { phoneNumber: '+15551234567', agentId: 'agent-1', reason: '' },
      { phoneNumber: null, agentId: 'agent-1', reason: '' },
    ],
    registered: [],
    checked: {
      checkId: 'check-1',
      silent: [],
      unknowing: 0,
      nodes: nodes.map((findings, n) => ({ nodeId: `node-${n + 1}`, findings: { ...FINDINGS, ...findings } })),
    },
  };
}

const attempt = (atMs: number, status: number, why: string): InboundAttempt => ({
  atMs,
  source: '203.0.113.50',
  status,
  why,
});

function stepOf(facts: InboundCheckFacts, name: string) {
  return inboundSteps(facts).find(({ step }) => step === name)!;
}

const endpoint = (changes: Partial<InboundTrunkFindings['endpoint']>): Partial<InboundTrunkFindings> => ({
  endpoint: { ...FINDINGS.endpoint, ...changes },
});

test('a trunk that nobody has called yet is well, as far as it can be seen', () => {
  const steps = inboundSteps(factsWith({}, {}));
  expect(steps.map(({ step, ok }) => [step, ok])).toEqual([
    ['credentials', true],
    ['endpoint', true],
    ['numbers', true],
    ['registrations', null],
    ['recent_attempts', null],
    ['media_port', true],
  ]);
  expect(inboundVerdict(steps)).toBe(true);
  expect(stepOf(factsWith({}, {}), 'endpoint').duration_ms).toBe(4.3);
});

test('every step that has failed has a cause and a remedy', () => {
  const facts = factsWith({
    knowsTrunk: false,
    ...endpoint({ addresses: [], status: null, ours: false, error: 'no address' }),
    attempts: [attempt(1, 403, 'wrong_password')],
    mediaPort: { port: null, error: 'all RTP ports are in use', durationMs: 1 },
  });
  const steps = inboundSteps({ ...facts, routed: [{ phoneNumber: null, agentId: null, reason: 'No agent.' }] });
  expect(steps.map(({ ok }) => ok)).toEqual([false, false, false, null, false, false]);
  for (const { cause, remedy } of steps) expect([typeof cause, typeof remedy]).toEqual(['string', 'string']);
  expect(inboundVerdict(steps)).toBe(false);
});

test.each<[string, Partial<InboundTrunkFindings>, boolean | null, RegExp]>([
  ['another server', endpoint({ ours: false }), false, /Another SIP server/],
  [
    'a node that takes no calls',
    { ...endpoint({ status: 503 }), unavailable: 'temporal_unreachable' },
    false,
    /no calls now/,
  ],
  ['nobody, seen from inside', endpoint({ status: null, ours: false, error: 'no answer' }), null, /firewall|router/],
  ['a private address', endpoint({ addresses: ['192.168.1.4'] }), null, /outside this network/],
  ['this machine alone', endpoint({ addresses: ['127.0.0.1'] }), null, /outside this network/],
])('the endpoint is %s', (_, findings, ok, cause) => {
  const step = stepOf(factsWith(findings), 'endpoint');
  expect(step.ok).toBe(ok);
  expect(step.cause).toMatch(cause);
});

test('one node that reaches the endpoint is enough', () => {
  const facts = factsWith(endpoint({ status: null, ours: false, error: 'no answer' }), {});
  expect(stepOf(facts, 'endpoint').ok).toBe(true);
});

describe('who has registered', () => {
  const registered = (changes: Partial<SipBinding> = {}, held = true): FoundBinding => ({
    held,
    binding: {
      ...BINDING,
      contact: 'sip:100:secret@10.0.0.5:5062',
      userAgent: 'Some PBX 18',
      source: { transport: 'udp', address: '203.0.113.50', port: 40_001 },
      expiresAtMs: 600_000,
      ...changes,
    },
  });

  test('from where, until when, and at which node', () => {
    const step = stepOf({ ...factsWith({}), registered: [registered()] }, 'registrations');
    expect(step).toMatchObject({
      ok: true,
      detail:
        'sip:100@10.0.0.5:5062 from 203.0.113.50:40001/udp (Some PBX 18) until 1970-01-01T00:10:00.000Z, at media node node-1.',
    });
  });

  test('of many the first are told, and how many more there are', () => {
    const many = Array.from({ length: 7 }, (_, n) => registered({ contact: `sip:1${n}@10.0.0.5`, userAgent: null }));
    const { detail } = stepOf({ ...factsWith({}), registered: many }, 'registrations');
    expect(detail).toMatch(/^sip:10@.*sip:14@.*; and 2 more\.$/);
    expect(detail).not.toContain('sip:15@');
  });

  test('at a node that is gone: whether it can be reached is not known', () => {
    const step = stepOf({ ...factsWith({}), registered: [registered({}, false)] }, 'registrations');
    expect([step.ok, step.cause]).toEqual([null, expect.stringMatching(/is gone/)]);
  });
});

test.each([
  ['wrong_password', 403, /auth_password/],
  ['other_uri', 400, /outbound proxy/],
  ['sdp_codec', 488, /PCMU/],
  ['sdp_transport', 488, /SRTP/],
  ['sdp_no_audio', 488, /PCMU/],
  ['no_agent', 480, /numbers/],
  ['no_request_user', 404, /dial string/],
  ['node_full', 503, /ready/],
  ['something_new', 482, /log/],
])('the latest INVITE was refused: %s', (why, status, remedy) => {
  const step = stepOf(
    factsWith({ attempts: [attempt(2, status, why), attempt(1, 200, 'answered')] }),
    'recent_attempts',
  );
  expect(step.ok).toBe(false);
  expect(step.remedy).toMatch(remedy);
  expect(step.detail).toContain('203.0.113.50');
});

test('attempts of all nodes stand in their order; the latest decides, and five are told', () => {
  const facts = factsWith(
    { attempts: [attempt(5_000, 200, 'answered'), attempt(1_000, 403, 'wrong_password')] },
    { attempts: [4_000, 3_000, 2_500, 2_000].map((atMs) => attempt(atMs, 480, 'no_agent')) },
  );
  const step = stepOf(facts, 'recent_attempts');
  expect(step.ok).toBe(true);
  expect(step.detail.split('; ')).toHaveLength(5);
  expect(step.detail).toMatch(/^1970-01-01T00:00:05\.000Z from 203\.0\.113\.50: 200 answered; 1970-01-01T00:00:04/);
});

test('a node that does not answer, and one that does not act on the trunk', () => {
  const facts = factsWith({});
  const silent = stepOf({ ...facts, checked: { ...facts.checked, silent: ['node-9'] } }, 'credentials');
  expect([silent.ok, silent.detail]).toEqual([null, expect.stringContaining('node-9')]);
  const late = stepOf({ ...facts, checked: { ...facts.checked, unknowing: 1 } }, 'credentials');
  expect([late.ok, late.detail]).toEqual([false, expect.stringContaining('1 of 2')]);
});
