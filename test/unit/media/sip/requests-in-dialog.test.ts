import fc from 'fast-check';

import { ReliableProvisional } from '../../../../media/sip/reliable-provisional';
import { FakeLink, LOST, ON_TIME } from '../../../fakes/media/sip/fake-link';
import { systemClock } from '../../../../media/clock';

import type { InDialogRequest, InDialogResult } from '../../../../media/sip/dialog-requests';
import type { CoreAnswer, CoreEvents } from '../../../../media/sip/core-events';
import type { Fate } from '../../../fakes/media/sip/fake-link';

const OFFER = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n';
const REINVITE: InDialogRequest = { method: 'INVITE', headers: ['X-Why: refresh'], sdp: OFFER };

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

type Events = Partial<CoreEvents>;

/** A call that stands, over a wire to be spoilt from then on. */
async function established(events: { caller?: Events; callee?: Events } = {}): Promise<FakeLink> {
  const link = new FakeLink((index, text) => spoil(index, text), events);
  spoil = () => ON_TIME;
  link.invite();
  await pass(5);
  link.callee.core.ring();
  link.callee.core.accept('v=0\r\n');
  await pass(5);
  return link;
}
let spoil: (index: number, text: string) => Fate = () => ON_TIME;

function ask(link: FakeLink, request: InDialogRequest, from: 'caller' | 'callee' = 'caller'): InDialogResult[] {
  const results: InDialogResult[] = [];
  link[from].core.request(request, (result) => results.push(result));
  return results;
}

function statusOf(results: readonly InDialogResult[]): (number | string)[] {
  return results.map((result) => (typeof result === 'object' ? result.status : result));
}

async function over(link: FakeLink, by: 'caller' | 'callee' = 'caller'): Promise<void> {
  spoil = () => ON_TIME;
  link[by].core.bye([], () => undefined);
  await pass(70_000);
  expect([link.caller.idle, link.callee.idle]).toEqual([true, true]);
}

/** Loses the first `count` messages that fit. */
function losing(fits: RegExp, count: number): (index: number, text: string) => Fate {
  let left = count;
  return (_index, text) => (fits.test(text) && left-- > 0 ? LOST : ON_TIME);
}

describe('a request of ours in the dialog', () => {
  it.each(['UPDATE', 'OPTIONS', 'INVITE'] as const)('%s is answered, from either side', async (method) => {
    const answer = (): CoreAnswer => ({ status: 200, sdp: OFFER });
    const link = await established({ caller: { onRefresh: answer }, callee: { onRefresh: answer } });
    const request = { method, headers: [], ...(method === 'INVITE' ? { sdp: OFFER } : {}) };
    for (const from of ['caller', 'callee', 'caller'] as const) {
      // OPTIONS is the endpoint's to answer; the core's own answer will do.
      const results = ask(link, request, from);
      await pass(10);
      expect(statusOf(results)).toEqual([200]);
    }
    if (method === 'INVITE') expect(link.callee.events.filter((event) => event === 'ack')).toHaveLength(3);
    await over(link);
  });

  it('a re-INVITE carries Contact, Allow and its headers, and so does the 200 that it gets', async () => {
    const link = await established();
    ask(link, REINVITE);
    await pass(10);
    const invite = link.caller.sent.find((text) => text.includes('X-Why: refresh'))!;
    expect(invite).toMatch(/^INVITE sip:callee@192\.0\.2\.1:5060 SIP\/2\.0\r\n/);
    for (const header of ['Contact: <sip:caller@', 'Allow: INVITE,', 'Supported: 100rel, timer\r\n'])
      expect(invite.split(`\r\n${header}`)).toHaveLength(2);
    expect(invite).toContain(`\r\n\r\n${OFFER}`);
    expect(link.caller.ways.slice(-2)).toEqual(['INVITE next_hop', 'ACK next_hop']);
    await over(link);
  });

  it.each(['UPDATE', 'INVITE'] as const)('%s gets through a wire that loses each message twice', async (method) => {
    for (const lost of [/^(UPDATE|INVITE)/, /^SIP\/2.0 200/, /^ACK/]) {
      const link = await established({ callee: { onRefresh: () => ({ status: 200, sdp: OFFER }) } });
      spoil = losing(lost, 2);
      const results = ask(link, { method, headers: [], ...(method === 'INVITE' ? { sdp: OFFER } : {}) });
      await pass(10_000);
      expect(statusOf(results)).toEqual([200]);
      await over(link);
    }
  });

  it('comes through any wire that loses, doubles, delays and reorders, and is taken once', async () => {
    const fate = fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 3 }).map((arrivals): Fate => ({ arrivals }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('UPDATE' as const, 'INVITE' as const),
        fc.constantFrom('caller' as const, 'callee' as const),
        // With one more lost nothing would get through: Timer B ends a transaction after 32 s, and half a second before is its last try.
        fc.array(fate, { maxLength: 6 }),
        async (method, from, fates) => {
          let taken = 0;
          const onRefresh = (): CoreAnswer => ({ status: 200, sdp: `${OFFER}s=${taken++}\r\n` });
          const link = await established({ caller: { onRefresh }, callee: { onRefresh } });
          let sent = 0;
          spoil = () => fates[sent++] ?? ON_TIME;
          const results = ask(link, { method, headers: [], ...(method === 'INVITE' ? { sdp: OFFER } : {}) }, from);
          await pass(31_900);
          expect([statusOf(results), taken]).toEqual([[200], 1]);
          await over(link);
          expect([...link.caller.events, ...link.callee.events]).not.toContain('ack timeout');
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);

  it('a refused re-INVITE is acknowledged the way it went, and the next one is sent', async () => {
    const answers: CoreAnswer[] = [{ status: 488 }, { status: 200, sdp: OFFER }];
    const link = await established({ callee: { onRefresh: () => answers.shift()! } });
    const first = ask(link, REINVITE);
    await pass(10);
    expect(link.caller.ways.slice(-2)).toEqual(['INVITE next_hop', 'ACK next_hop']);
    const second = ask(link, REINVITE);
    await pass(10);
    expect([statusOf(first), statusOf(second)]).toEqual([[488], [200]]);
    await over(link);
  });

  it.each(['UPDATE', 'OPTIONS', 'INVITE'] as const)('%s that nobody answers ends after 32 s', async (method) => {
    const link = await established();
    spoil = () => LOST;
    const results = ask(link, { method, headers: [], ...(method === 'INVITE' ? { sdp: OFFER } : {}) });
    await pass(31_900);
    expect(results).toEqual([]);
    await pass(200);
    expect(results).toEqual(['timeout']);
    await over(link);
  });

  it('a re-INVITE that only ever gets a 100 ends after 32 s and leaves nothing', async () => {
    const link = await established();
    const carry = link.carry.bind(link);
    link.carry = (from, text) => {
      const trying = text.startsWith('INVITE') && text.replace(/^INVITE.*\r\n/, 'SIP/2.0 100 Trying\r\n');
      if (trying !== false) setTimeout(() => link.caller.receive(trying.replace(/\r\n\r\n[^]*/, '\r\n\r\n')), 1);
      else carry(from, text);
    };
    const results = ask(link, REINVITE);
    await pass(32_100);
    expect(results).toEqual(['timeout']);
    await over(link);
  });

  it('two re-INVITEs that cross are refused with 491 on both sides (RFC 3261 §14.2)', async () => {
    const link = await established();
    const ours = ask(link, REINVITE);
    const theirs = ask(link, REINVITE, 'callee');
    await pass(10);
    expect([statusOf(ours), statusOf(theirs)]).toEqual([[491], [491]]);
    const again = ask(link, REINVITE);
    await pass(10);
    expect(statusOf(again)).toEqual([200]);
    await over(link);
  });

  it('a re-INVITE waits for the ACK of the one before it, of whichever side (RFC 3261 §14.1)', async () => {
    const link = await established();
    spoil = losing(/^ACK/, 3);
    const ours = [ask(link, REINVITE), ask(link, REINVITE)];
    await pass(10);
    const theirs = ask(link, REINVITE, 'callee');
    // Ours may follow at once, and meets what is open over there.
    expect(ours.map(statusOf)).toEqual([[200], [500]]);
    await pass(1_400);
    expect([link.callee.methods().includes('INVITE'), theirs]).toEqual([false, []]);
    await pass(200);
    expect(statusOf(theirs)).toEqual([200]);
    await over(link);
  });

  it('a re-INVITE waits for the ACK of the first INVITE', async () => {
    const link = new FakeLink(losing(/^ACK/, 1));
    link.invite();
    await pass(5);
    link.callee.core.accept('v=0\r\n');
    await pass(5);
    const results = ask(link, REINVITE, 'callee');
    expect(link.callee.methods()).toEqual(['100 INVITE', '200 INVITE']);
    await pass(600);
    expect(link.callee.methods()).toEqual(['100 INVITE', '200 INVITE', '200 INVITE', 'INVITE', 'ACK']);
    expect(statusOf(results)).toEqual([200]);
    await over(link);
  });

  it('a re-INVITE waits for the ACK of a refusal', async () => {
    const link = await established({ callee: { onRefresh: () => ({ status: 488 }) } });
    spoil = losing(/^ACK/, 2);
    ask(link, REINVITE);
    await pass(10);
    const results = ask(link, REINVITE, 'callee');
    await pass(1_400);
    expect([results, link.callee.methods().includes('INVITE')]).toEqual([[], false]);
    await pass(200);
    expect(statusOf(results)).toEqual([200]);
    await over(link);
  });

  it('one that waits when the dialog ends is not sent', async () => {
    const link = await established();
    spoil = losing(/^ACK/, 1);
    ask(link, REINVITE);
    await pass(10);
    const results = ask(link, REINVITE, 'callee');
    link.callee.core.bye([], () => undefined);
    await pass(70_000);
    expect(link.callee.methods().filter((method) => method === 'INVITE')).toEqual([]);
    expect(results.length).toBeLessThan(2);
    expect([link.caller.idle, link.callee.idle]).toEqual([true, true]);
  });

  it('a refusal for a glare is repeated until its ACK, the same (RFC 3261 §17.2.1)', async () => {
    const link = await established();
    spoil = losing(/^SIP\/2.0 491/, 3);
    const results = [ask(link, REINVITE), ask(link, REINVITE, 'callee')];
    await pass(5_000);
    expect(results.map(statusOf)).toEqual([[491], [491]]);
    await over(link);
  });

  it('a hang-up while a re-INVITE is under way ends both, in whichever order their answers come', async () => {
    for (const late of [0, 3, 600]) {
      const link = await established();
      spoil = (_index, text) => ({ arrivals: text.startsWith('INVITE') ? [1 + late] : [1] });
      ask(link, REINVITE);
      link.caller.core.bye([], () => undefined);
      await pass(70_000);
      expect([link.caller.idle, link.callee.idle]).toEqual([true, true]);
    }
  });
});

describe('a re-offer that fails (RFC 3261 §14.1)', () => {
  const from = (text: string, changes: readonly (readonly [RegExp, string])[]): string =>
    changes.reduce((changed, [pattern, to]) => changed.replace(pattern, to), text);

  /** A re-INVITE of the caller's without SDP, by hand: its ACK can be anything then. */
  function reinvite(link: FakeLink, cseq: number, method = 'INVITE', sdp = ''): string {
    const text = from(link.caller.sent[0]!, [
      [/branch=[^;\r]+/, `branch=z9hG4bKre${cseq}${method}`],
      [/\r\nTo: [^\r]+/, '$&;tag=tag-callee'],
      [/CSeq: 1 INVITE/, `CSeq: ${cseq} ${method}`],
      [/^INVITE/, method],
      [
        /\r\nContent-Type[^]*/,
        `\r\n${sdp === '' ? '' : 'Content-Type: application/sdp\r\n'}Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
      ],
    ]);
    link.callee.receive(text);
    return link.callee.methods().at(-1)!;
  }

  it('an ACK without SDP to our offer leaves offer and answer as they were', async () => {
    const link = await established();
    link.carry = () => {};
    expect(reinvite(link, 2)).toBe('200 INVITE');
    reinvite(link, 2, 'ACK');
    expect(link.callee.events.filter((event) => event === 'ack')).toHaveLength(2);
    // Offers of both kinds are taken afterwards, as if nothing had been.
    expect(reinvite(link, 3, 'UPDATE', OFFER)).toBe('200 UPDATE');
    expect(reinvite(link, 4, 'INVITE', OFFER)).toBe('200 INVITE');
    reinvite(link, 4, 'ACK');
    await pass(40_000);
    expect(link.callee.events).not.toContain('ack timeout');
    for (const { core } of [link.caller, link.callee]) core.dispose();
  });

  it.each(['INVITE', 'UPDATE'])('a refused %s does not move the remote target', async (method) => {
    const answers: CoreAnswer[] = [{ status: 488 }, { status: 200, sdp: OFFER }];
    const link = await established({ callee: { onRefresh: () => answers.shift()! } });
    link.carry = () => {};
    const target = (): string => link.callee.core.remoteTarget;
    const before = target();
    link.caller.sent[0] = link.caller.sent[0]!.replace(/\r\nContact: [^\r]+/, '\r\nContact: <sip:moved@192.0.2.9>');
    expect(reinvite(link, 2, method, OFFER)).toBe(`488 ${method}`);
    if (method === 'INVITE') reinvite(link, 2, 'ACK');
    expect(target()).toBe(before);
    expect(reinvite(link, 3, method, OFFER)).toBe(`200 ${method}`);
    expect(target()).toBe('sip:moved@192.0.2.9');
    for (const { core } of [link.caller, link.callee]) core.dispose();
    await pass(4_000);
  });
});

describe('reliable provisional answers (RFC 3262)', () => {
  /** A callee that rings reliably, and answers after the PRACK when the 180 had its offer. */
  function ringing(fate: (index: number, text: string) => Fate, offer?: string): { link: FakeLink; prack: string[] } {
    const prack: string[] = [];
    let ring: ReliableProvisional | undefined;
    const link = new FakeLink(fate, {
      callee: {
        onInvite: () => {
          const { core } = link.callee;
          core.trying();
          let repeat = (): void => undefined;
          ring = new ReliableProvisional({
            clock: systemClock,
            cseq: 1,
            repeat: () => repeat(),
            onTimeout: () => prack.push('timeout'),
          });
          repeat = core.ring(ring.headers, offer);
          ring.sent();
        },
        acknowledges: (request) => ring?.acknowledgedBy(request) === true,
        onPrack: (request) => {
          prack.push(request.first('rack') ?? '');
          link.callee.core.accept(offer === undefined ? 'v=0\r\n' : '');
        },
      },
    });
    link.invite();
    return { link, prack };
  }

  it('a 180 that asks for it gets a PRACK, and the call its 200', async () => {
    const { link, prack } = ringing(() => ON_TIME);
    await pass(10);
    expect(link.caller.methods()).toEqual(['INVITE', 'PRACK', 'ACK']);
    expect(link.callee.methods()).toEqual(['100 INVITE', '180 INVITE', '200 PRACK', '200 INVITE']);
    const ring = link.callee.sent[1]!;
    expect(prack).toEqual([`${/RSeq: (\d+)/.exec(ring)?.[1]} 1 INVITE`]);
    expect(link.caller.sent[1]).toMatch(/\r\nCSeq: 2 PRACK\r\n/);
    expect(link.caller.ways).toEqual(['INVITE along_invite', 'PRACK next_hop', 'ACK next_hop']);
    expect(link.caller.events).toEqual(['progress 180', 'accept']);
    await over(link);
  });

  it.each([
    ['180', /^SIP\/2.0 180/],
    ['PRACK', /^PRACK/],
    ['200 of the PRACK', /^SIP\/2.0 200[^]*CSeq: \d+ PRACK/],
  ])('the %s may be lost twice', async (_what, lost) => {
    const { link, prack } = ringing(losing(lost, 2));
    await pass(10_000);
    expect(prack).toHaveLength(1);
    expect(link.caller.events.filter((event) => !event.startsWith('repeat'))).toEqual(['progress 180', 'accept']);
    await over(link);
  });

  it('comes through any wire that loses, doubles, delays and reorders, once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 3 }).map((arrivals): Fate => ({ arrivals })),
          { maxLength: 12 },
        ),
        async (fates) => {
          const { link, prack } = ringing((index) => fates[index] ?? ON_TIME);
          await pass(60_000);
          expect(prack).toHaveLength(1);
          expect(link.caller.events.filter((event) => !event.startsWith('repeat'))).toEqual(['progress 180', 'accept']);
          await over(link);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('a PRACK for another answer, or a second one, gets 481', async () => {
    const { link, prack } = ringing(() => ON_TIME);
    await pass(10);
    const sent = link.caller.sent[1]!;
    const again = (cseq: number, rack: string): string => {
      link.callee.receive(
        sent
          .replace(/branch=[^;\r]+/, `branch=z9hG4bKpr${cseq}`)
          .replace(/CSeq: \d+/, `CSeq: ${cseq}`)
          .replace(/RAck: [^\r]+/, `RAck: ${rack}`),
      );
      return link.callee.methods().at(-1)!;
    };
    expect(again(3, '1 1 INVITE')).toBe('481 PRACK');
    expect(again(4, prack[0]!)).toBe('481 PRACK');
    // The same request repeated is another matter.
    link.callee.receive(sent);
    expect(link.callee.methods().at(-1)).toBe('200 PRACK');
    await over(link, 'callee');
  });

  it('an answer out of order, or without a number, gets no PRACK', async () => {
    const link = new FakeLink();
    link.invite();
    await pass(5);
    link.callee.core.ring(['Require: 100rel', 'RSeq: 5']);
    link.callee.core.ring(['Require: 100rel', 'RSeq: 7']);
    link.callee.core.ring(['Require: 100rel', 'RSeq: 5']);
    link.callee.core.ring(['Require: foo, 100rel', 'RSeq: 6']);
    link.callee.core.ring(['Require: 100rel']);
    await pass(5);
    const racks = link.caller.sent.flatMap((text) => /^PRACK[^]*\r\nRAck: ([^\r]+)/.exec(text)?.[1] ?? []);
    expect(racks).toEqual(['5 1 INVITE', '6 1 INVITE']);
    link.callee.core.accept('v=0\r\n');
    await pass(5);
    await over(link);
  });

  it('what the 180 said in SDP the 200 does not say again', async () => {
    const { link, prack } = ringing(() => ON_TIME, OFFER);
    await pass(10);
    expect(prack).toHaveLength(1);
    const ok = link.callee.sent.find((text) => /^SIP\/2.0 200[^]* INVITE/.test(text))!;
    expect(ok).toContain('\r\nContent-Length: 0\r\n\r\n');
    expect(ok).not.toContain('Content-Type');
    await over(link);
  });

  it('nothing is left when the caller gives up meanwhile', async () => {
    const { link } = ringing((_index, text) => (text.startsWith('PRACK') ? LOST : ON_TIME));
    await pass(700);
    link.caller.core.cancel(undefined);
    await pass(70_000);
    expect([link.caller.idle, link.callee.idle]).toEqual([true, true]);
  });
});
