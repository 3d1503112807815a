import type { SipBinding } from '../../../../../contract/registration';
import { applyRegister } from '../../../../../media/sip/registrar/bindings';
import type { Register } from '../../../../../media/sip/registrar/bindings';
import { contactList, pathOf } from '../../../../../media/sip/registrar/contact-list';
import { registerRequest } from '../../../../fakes/media/sip/registers';

const SOURCE = { transport: 'udp', address: '192.0.2.10', port: 5060 } as const;
const NOW = 1_000_000;
let ids = 0;

function register(lines: readonly string[], more: Partial<Register> = {}): Register {
  const request = registerRequest(...lines);
  return {
    asks: contactList(request),
    path: pathOf(request),
    sipCallId: 'one',
    cseq: 1,
    userAgent: null,
    source: SOURCE,
    translated: false,
    nodeId: 'node-1',
    longestSeconds: 3600,
    ...more,
  };
}

function kept(held: readonly SipBinding[], asked: Register, nowMs = NOW): readonly SipBinding[] {
  const change = applyRegister(held, asked, nowMs, () => `id-${++ids}`);
  if (change.kind === 'refused') throw new Error(`refused: ${change.refusal.status}`);
  return change.bindings;
}

function refusal(held: readonly SipBinding[], asked: Register) {
  const change = applyRegister(held, asked, NOW, () => 'id');
  return change.kind === 'refused' ? change.refusal : null;
}

const A = 'Contact: <sip:a@192.0.2.10>';
const B = 'Contact: <sip:b@192.0.2.10>';
const contacts = (bindings: readonly SipBinding[]): string[] => bindings.map(({ contact }) => contact);
const secondsOf = ({ expiresAtMs }: SipBinding): number => (expiresAtMs - NOW) / 1000;

describe('applyRegister', () => {
  it('binds several contacts, each for its own time', () => {
    const bindings = kept([], register([`${A};expires=60, <sip:b@192.0.2.10>`]));
    expect(bindings.map(secondsOf)).toEqual([60, 3600]);
  });

  it('keeps nothing for longer than an hour', () => {
    expect(kept([], register([A, 'Expires: 86400'])).map(secondsOf)).toEqual([3600]);
  });

  it('refuses what is too brief with what is long enough, and binds none of the request', () => {
    expect(refusal([], register([A, `${B};expires=59`]))).toEqual({ status: 423, headers: ['Min-Expires: 60'] });
  });

  it('refreshes an equal contact in its place, from wherever it comes now', () => {
    const [first] = kept([], register([A]));
    const source = { transport: 'tcp', address: '192.0.2.11', port: 4000 } as const;
    const again = register(['Contact: <SIP:a@192.0.2.10;lr=x>'], { cseq: 2, source, nodeId: 'node-2' });
    const bindings = kept([first!], again, NOW + 5_000);
    expect(bindings).toMatchObject([{ id: first!.id, registeredAtMs: NOW, refreshedAtMs: NOW + 5_000, source }]);
    expect(bindings[0]).toMatchObject({ nodeId: 'node-2', cseq: 2 });
  });

  it('removes what is asked for with 0, and all with the wildcard', () => {
    const both = kept([], register([A, B]));
    expect(contacts(kept(both, register([`${A};expires=0`], { cseq: 2 })))).toEqual(['sip:b@192.0.2.10']);
    expect(kept(both, register(['Contact: *', 'Expires: 0'], { cseq: 2 }))).toEqual([]);
  });

  it('does nothing at all when one binding has the same Call-ID and no lower CSeq', () => {
    const both = kept([], register([A, B], { cseq: 5 }));
    for (const cseq of [4, 5]) {
      for (const lines of [[A], [`${B};expires=0`], ['Contact: *', 'Expires: 0'], [A, 'Contact: <sip:c@192.0.2.10>']]) {
        expect(refusal(both, register(lines, { cseq }))?.status).toBe(500);
      }
    }
    expect(kept(both, register([A], { cseq: 1, sipCallId: 'after a restart' }))).toHaveLength(2);
    expect(kept(both, register(['Contact: <sip:c@192.0.2.10>'], { cseq: 4 }))).toHaveLength(3);
  });

  it('does not know what has expired, nor order by it', () => {
    const [old] = kept([], register([`${A};expires=60`], { cseq: 9 }));
    const later = NOW + 60_000;
    expect(kept([old!], register([]), later)).toEqual([]);
    expect(kept([old!], register([A]), later)).toMatchObject([{ registeredAtMs: later }]);
  });

  it('knows a flow by its instance and reg-id, at whatever address it is now', () => {
    const flow = (user: string, id: number, more: Partial<Register> = {}) =>
      register(
        [`Contact: <sip:${user}@192.0.2.10>;+sip.instance="<urn:uuid:1>";reg-id=${id}`, 'Supported: outbound'],
        more,
      );
    let bindings = kept([], flow('first', 1));
    bindings = kept(bindings, flow('second', 2, { cseq: 2 }));
    bindings = kept(bindings, flow('moved', 1, { cseq: 3 }));
    expect(contacts(bindings)).toEqual(['sip:second@192.0.2.10', 'sip:moved@192.0.2.10']);
  });

  it('keeps a UDP contact behind a NAT for a minute, and one that a proxy or a connection holds for longer', () => {
    const inside = 'Contact: <sip:a@10.0.0.5:5060>';
    const tcp = { source: { transport: 'tcp', address: '192.0.2.10', port: 4000 } } as const;
    expect(kept([], register([inside])).map(secondsOf)).toEqual([60]);
    expect(kept([], register([A], { translated: true }))).toMatchObject([{ behindNat: true }]);
    expect(kept([], register([A], { translated: true })).map(secondsOf)).toEqual([60]);
    expect(kept([], register([inside, 'Path: <sip:192.0.2.10;lr>'])).map(secondsOf)).toEqual([3600]);
    expect(kept([], register([inside], tcp)).map(secondsOf)).toEqual([3600]);
  });

  it('lets a new contact take the place of the one that was not heard of for longest', () => {
    let bindings: readonly SipBinding[] = [];
    for (let n = 1; n <= 12; n++) {
      bindings = kept(bindings, register([`Contact: <sip:${n}@192.0.2.10>`], { cseq: n }), NOW + n);
    }
    expect(contacts(bindings).sort()).toEqual(
      [3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => `sip:${n}@192.0.2.10`).sort(),
    );
    const many = Array.from({ length: 11 }, (_, n) => `Contact: <sip:${n}@192.0.2.10>`);
    expect(refusal([], register(many))).toMatchObject({ status: 403 });
  });

  it('takes the last of two equal contacts in one request', () => {
    expect(kept([], register([`${A};q=0.1`, `${A};q=0.9`]))).toMatchObject([{ q: 0.9 }]);
    expect(kept([], register([A, `${A};expires=0`]))).toEqual([]);
  });
});
