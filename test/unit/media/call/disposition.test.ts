import type { Disposition } from '../../../../contract/endings';
import { dispositionOf, type OwnCause } from '../../../../media/call/disposition';
import type { InviteOutcome } from '../../../../media/sip/invite';

const status = (code: number, options: Partial<InviteOutcome & { kind: 'status' }> = {}): InviteOutcome => ({
  kind: 'status',
  status: code,
  reason: '',
  q850: null,
  provisional: null,
  retryAfterSeconds: null,
  ...options,
});

describe('dispositionOf', () => {
  it.each<[number, Disposition]>([
    [200, 'answered'],
    [486, 'busy'],
    [600, 'busy'],
    [480, 'no_answer'],
    [408, 'trunk_timeout'],
    [504, 'trunk_timeout'],
    [404, 'invalid_number'],
    [410, 'invalid_number'],
    [484, 'invalid_number'],
    [485, 'invalid_number'],
    [604, 'invalid_number'],
    [603, 'rejected'],
    [607, 'blocked'],
    [608, 'blocked'],
    [401, 'trunk_denied'],
    [407, 'trunk_denied'],
    [403, 'trunk_denied'],
    [500, 'congestion'],
    [502, 'congestion'],
    [503, 'congestion'],
    [415, 'media_incompatible'],
    [488, 'media_incompatible'],
    [606, 'media_incompatible'],
    [482, 'routing_loop'],
    [483, 'routing_loop'],
    [300, 'redirect'],
    [302, 'redirect'],
    [428, 'identity_rejected'],
    [436, 'identity_rejected'],
    [437, 'identity_rejected'],
    [438, 'identity_rejected'],
    [487, 'failed'],
    [499, 'failed'],
    [501, 'failed'],
    [699, 'rejected'],
  ])('a final %i is %s', (code, expected) => {
    expect(dispositionOf(status(code), null)).toBe(expected);
  });

  // Rows as a person reads them: statuses of the final answer, Q.850 causes, the word for both.
  const table: readonly (readonly [Disposition, readonly number[], readonly number[]])[] = [
    ['busy', [486, 600], [17]],
    ['no_answer', [480], [18, 19, 20, 31]],
    ['trunk_timeout', [408, 504], []],
    ['invalid_number', [404, 410, 484, 485, 604], [1, 22, 28]],
    ['rejected', [603], [21]],
    ['blocked', [607, 608], []],
    ['trunk_denied', [401, 403, 407], [57]],
    ['congestion', [500, 502, 503], [27, 34, 38, 41, 42, 47]],
    ['media_incompatible', [415, 488, 606], [65, 88]],
    ['routing_loop', [482, 483], []],
    ['identity_rejected', [428, 436, 437, 438], []],
    ['redirect', [300, 302], []],
  ];
  const silentCauses = [16, 102, 127];
  const cells = table.flatMap(([byStatus, codes]) =>
    codes.flatMap((code) => [
      ...table.flatMap(([byCause, , causes]) => causes.map((cause) => [code, cause, byStatus, byCause] as const)),
      ...silentCauses.map((cause) => [code, cause, byStatus, byStatus] as const),
    ]),
  );

  it.each(cells)('a final %i with Q.850 %i, between %s and %s', (code, cause, byStatus, byCause) => {
    const causeDecides = (code >= 600 || (code >= 400 && code < 500)) && code !== 401 && code !== 407;
    const blocked = byStatus === 'blocked' && cause === 21;
    const expected = causeDecides && !blocked ? byCause : byStatus;
    expect(dispositionOf(status(code, { q850: cause }), null)).toBe(expected);
    // What crosses our CANCEL is the callee's word; a challenge that we no longer answer is nobody's.
    const own = code === 401 || code === 407 ? 'canceled' : expected;
    expect(dispositionOf(status(code, { q850: cause }), 'canceled')).toBe(own);
  });

  it.each<[string, InviteOutcome | null, OwnCause | null, Disposition]>([
    ['408 after 180', status(408, { provisional: 180 }), null, 'no_answer'],
    ['408 after 100', status(408, { provisional: 100 }), null, 'trunk_timeout'],
    ['603 of a blocking carrier', status(603, { reason: 'Network Blocked' }), null, 'blocked'],
    ['606 of a person (Q.850 21)', status(606, { q850: 21 }), null, 'rejected'],
    ['606 about media (Q.850 88)', status(606, { q850: 88 }), null, 'media_incompatible'],
    ['403 of a gateway whose callee declined (21)', status(403, { q850: 21 }), null, 'rejected'],
    ['408 of a gateway whose callee was silent (18)', status(408, { q850: 18 }), null, 'no_answer'],
    ['603 of a gateway without a common codec (88)', status(603, { q850: 88 }), null, 'media_incompatible'],
    ['408 after 180 with Q.850 17', status(408, { provisional: 180, q850: 17 }), null, 'busy'],
    ['603 of a blocking carrier with Q.850 21', status(603, { reason: 'Network Blocked', q850: 21 }), null, 'blocked'],
    [
      '603 of a blocking carrier with Q.850 1',
      status(603, { reason: 'Network Blocked', q850: 1 }),
      null,
      'invalid_number',
    ],
    ['487 that is not ours with Q.850 18', status(487, { q850: 18 }), null, 'no_answer'],
    ['487 after our CANCEL with Q.850 18', status(487, { q850: 18 }), 'canceled', 'canceled'],
    ['a challenge that met our ring timeout', status(407), 'ring_timeout', 'no_answer'],
    ['a gateway’s 408 whose timer ran out (102)', status(408, { q850: 102 }), null, 'trunk_timeout'],
    ['the same after 180', status(408, { provisional: 180, q850: 102 }), null, 'no_answer'],
    ['a 504 whose timer ran out (102)', status(504, { q850: 102 }), null, 'trunk_timeout'],
    ['a 501 whose timer ran out (102)', status(501, { q850: 102 }), null, 'failed'],
    ['an unlisted status with Q.850 17', status(433, { q850: 17 }), null, 'busy'],
    ['an unlisted status with Q.850 34', status(580, { q850: 34 }), null, 'congestion'],
    ['DNS failure', { kind: 'unreachable', detail: 'ENOTFOUND' }, null, 'trunk_unreachable'],
    ['Timer B without a word', { kind: 'timeout', provisional: null }, null, 'trunk_unreachable'],
    ['Timer B after 100', { kind: 'timeout', provisional: 100 }, null, 'trunk_timeout'],
    ['a timeout after 180', { kind: 'timeout', provisional: 180 }, null, 'no_answer'],
    ['487 of the carrier after 180', status(487, { provisional: 180 }), null, 'no_answer'],
    ['487 after our CANCEL', status(487), 'canceled', 'canceled'],
    ['487 after our ring timeout', status(487), 'ring_timeout', 'no_answer'],
    ['a 200 that crossed our CANCEL', status(200), 'canceled', 'canceled'],
    ['a 486 that crossed our CANCEL', status(486), 'canceled', 'busy'],
    ['no answer to our CANCEL', null, 'canceled', 'canceled'],
    ['no answer to the CANCEL of our ring timeout', null, 'ring_timeout', 'no_answer'],
  ])('%s', (_title, outcome, own, expected) => {
    expect(dispositionOf(outcome, own)).toBe(expected);
  });
});
