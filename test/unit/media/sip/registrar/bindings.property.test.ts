import fc from 'fast-check';

import type { SipBinding } from '../../../../../contract/registration';
import { applyRegister } from '../../../../../media/sip/registrar/bindings';
import type { Register } from '../../../../../media/sip/registrar/bindings';

const SOURCE = { transport: 'udp', address: '192.0.2.10', port: 5060 } as const;
const USERS = ['a', 'b', 'c', 'd'] as const;
const uriOf = (user: string): string => `sip:${user}@192.0.2.10`;

/** What the RFC says of each contact, without how it is stored. */
interface Modelled {
  readonly sipCallId: string;
  readonly cseq: number;
  readonly untilMs: number;
}

const contact = fc.record({
  user: fc.constantFrom(...USERS),
  seconds: fc.constantFrom(null, 0, 1, 59, 60, 90, 3600, 100_000),
});
const asked = fc.oneof(
  { weight: 6, arbitrary: fc.uniqueArray(contact, { minLength: 1, maxLength: 4, selector: ({ user }) => user }) },
  { weight: 1, arbitrary: fc.constant('all' as const) },
  { weight: 1, arbitrary: fc.constant('fetch' as const) },
);
const step = fc.record({
  waitMs: fc.constantFrom(0, 1, 30_000, 60_000, 3_600_000),
  sipCallId: fc.constantFrom('one', 'two'),
  cseq: fc.integer({ min: 1, max: 6 }),
  asked,
});

it('is what RFC 3261 §10.3 says, whatever is sent in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let bindings: readonly SipBinding[] = [];
      const model = new Map<string, Modelled>();
      let nowMs = 1_000_000;
      let ids = 0;
      for (const { waitMs, sipCallId, cseq, asked: wanted } of steps) {
        nowMs += waitMs;
        for (const [user, { untilMs }] of model) if (untilMs <= nowMs) model.delete(user);
        const register: Register = {
          asks: typeof wanted === 'string' ? { kind: wanted } : { kind: 'contacts', contacts: wanted.map(requested) },
          path: [],
          sipCallId,
          cseq,
          userAgent: null,
          source: SOURCE,
          translated: false,
          nodeId: 'n',
          longestSeconds: 3600,
        };
        const change = applyRegister(bindings, register, nowMs, () => `id-${++ids}`);
        const users = wanted === 'all' ? [...model.keys()] : wanted === 'fetch' ? [] : wanted.map(({ user }) => user);
        const late = users.some((user) => {
          const held = model.get(user);
          return held !== undefined && held.sipCallId === sipCallId && cseq <= held.cseq;
        });
        const brief =
          typeof wanted !== 'string' && wanted.some(({ seconds }) => seconds !== null && seconds > 0 && seconds < 60);
        if (brief || late) {
          expect(change).toMatchObject({ kind: 'refused', refusal: { status: brief ? 423 : 500 } });
          continue;
        }
        if (wanted === 'all') model.clear();
        else if (wanted !== 'fetch') {
          for (const { user, seconds } of wanted) {
            const untilMs = nowMs + Math.min(seconds ?? 3600, 3600) * 1000;
            if (seconds === 0) model.delete(user);
            else model.set(user, { sipCallId, cseq, untilMs });
          }
        }
        if (change.kind !== 'kept') throw new Error(`refused with ${change.refusal.status}`);
        ({ bindings } = change);
        const seen = bindings.map((held) => [
          held.contact,
          { sipCallId: held.sipCallId, cseq: held.cseq, untilMs: held.expiresAtMs },
        ]);
        expect(new Map(seen as [string, Modelled][])).toEqual(
          new Map([...model].map(([user, held]) => [uriOf(user), held])),
        );
        expect(new Set(bindings.map(({ id }) => id)).size).toBe(bindings.length);
      }
    }),
    { numRuns: 500 },
  );
});

function requested({ user, seconds }: { readonly user: string; readonly seconds: number | null }) {
  return { uri: uriOf(user), expiresSeconds: seconds, q: 1, instanceId: null, regId: null };
}
