import fc from 'fast-check';

import { InviteAdmission } from '../../../../media/sip/admission';

import type { Overload } from '../../../../contract/directory';

const REMEMBERED_MS = 40_000;

function setUp(salt = 1) {
  let nowMs = 0;
  const admission = new InviteAdmission({ now: () => nowMs, salt });
  const ask = (name: string, overload: Overload | null = null, late = false) =>
    admission.refusal({ key: `z9hG4bK${name} 192.0.2.1:5060 INVITE`, callId: `${name}@pbx`, late }, overload);
  return { ask, pass: (ms: number) => (nowMs += ms) };
}

const share = (part: number): Overload => ({ reason: 'records', share: part });

test('without overload nothing is refused', () => {
  const { ask } = setUp();
  fc.assert(fc.property(fc.string(), (name) => ask(name) === null));
});

test('the share of calls that is refused is the one that is asked for', () => {
  for (const part of [0.05, 0.3, 0.5, 0.9]) {
    const { ask } = setUp();
    let refused = 0;
    for (let n = 0; n < 20_000; n++) if (ask(`c${n}-4711`, share(part)) !== null) refused++;
    // Five standard deviations of a fair draw.
    expect(Math.abs(refused / 20_000 - part)).toBeLessThan(5 * Math.sqrt((part * (1 - part)) / 20_000));
  }
});

test('with a share of 1 every call is refused', () => {
  const { ask } = setUp();
  fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => ask(`${name}`, share(1)) !== null));
});

test('what was refused is refused again, whatever the load is then, until its transaction is over', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), fc.integer({ min: 0, max: REMEMBERED_MS - 1 }), (name, late, ms) => {
      const { ask, pass } = setUp();
      expect(ask(name, share(1), late)).toBe(late ? 'wait' : 'records');
      pass(ms);
      expect(ask(name)).toBe('repeat');
      pass(REMEMBERED_MS);
      expect(ask(name)).toBeNull();
    }),
  );
});

test('whoever was let in at a share is let in at any smaller one: credentials are not asked for in vain', () => {
  fc.assert(
    fc.property(fc.string(), fc.double({ min: 0, max: 1 }), fc.double({ min: 0, max: 1 }), (name, a, b) => {
      const { ask } = setUp();
      const [smaller, larger] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(ask(name, share(larger)) === null);
      // The INVITE with credentials: the same call, another transaction.
      const { ask: askAgain } = setUp();
      expect(askAgain(name, share(smaller))).toBeNull();
    }),
  );
});

test('two nodes do not refuse the same calls', () => {
  const [one, other] = [setUp(1), setUp(2)];
  let both = 0;
  for (let n = 0; n < 10_000; n++) {
    if (one.ask(`c${n}`, share(0.5)) !== null && other.ask(`c${n}`, share(0.5)) !== null) both++;
  }
  expect(both / 10_000).toBeGreaterThan(0.22);
  expect(both / 10_000).toBeLessThan(0.28);
});

test('of 10,000 calls that are let in after 10,000 were refused none is taken for one of them', () => {
  const { ask } = setUp();
  for (let n = 0; n < 10_000; n++) ask(`refused${n}`, share(1));
  let taken = 0;
  for (let n = 0; n < 10_000; n++) if (ask(`new${n}`) !== null) taken++;
  expect(taken).toBe(0);
});
