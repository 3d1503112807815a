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
    [699, 'rejected'],
  ])('a final %i is %s', (code, expected) => {
    expect(dispositionOf(status(code), null)).toBe(expected);
  });

  it.each<[string, InviteOutcome | null, OwnCause | null, Disposition]>([
    ['408 after 180', status(408, { provisional: 180 }), null, 'no_answer'],
    ['408 after 100', status(408, { provisional: 100 }), null, 'trunk_timeout'],
    ['603 of a blocking carrier', status(603, { reason: 'Network Blocked' }), null, 'blocked'],
    ['606 of a person (Q.850 21)', status(606, { q850: 21 }), null, 'rejected'],
    ['606 about media (Q.850 88)', status(606, { q850: 88 }), null, 'media_incompatible'],
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
