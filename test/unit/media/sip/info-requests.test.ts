import { InfoRequests } from '../../../../media/sip/info-requests';
import { parseDtmfRelay } from '../../../../media/sip/dtmf-relay';
import { FakeLink, LOST, ON_TIME } from '../../../fakes/media/sip/fake-link';

import type { CoreAnswer } from '../../../../media/sip/core-events';
import type { Fate } from '../../../fakes/media/sip/fake-link';

const RELAY = 'application/dtmf-relay';
const body = (digit: string): string => `Signal=${digit}\r\nDuration=160\r\n`;

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** A call that stands, over a wire that is spoilt from then on. */
async function established(
  answer: (digit: string | null) => CoreAnswer,
  fate: (index: number, text: string) => Fate = () => ON_TIME,
): Promise<{ link: FakeLink; infos: InfoRequests; digits: (string | null)[] }> {
  const digits: (string | null)[] = [];
  let spoil: (index: number, text: string) => Fate = () => ON_TIME;
  const link = new FakeLink((index, text) => spoil(index, text), {
    callee: {
      onInfo: (request) => {
        const digit = parseDtmfRelay(request);
        digits.push(digit);
        return answer(digit);
      },
    },
  });
  link.invite();
  await pass(5);
  link.callee.core.accept('v=0\r\n');
  await pass(5);
  spoil = fate;
  return { link, infos: new InfoRequests((request, done) => link.caller.core.request(request, done)), digits };
}

async function over({ caller, callee }: FakeLink): Promise<void> {
  caller.core.bye([], () => undefined);
  await pass(70_000);
  expect([caller.idle, callee.idle]).toEqual([true, true]);
}

describe('INFO of ours', () => {
  it('carries what it is given, and tells whether the peer took it', async () => {
    const { link, infos, digits } = await established((digit) => ({ status: digit === '5' ? 200 : 415 }));
    const taken = Promise.all([infos.send(RELAY, body('5')), infos.send('text/plain', 'hello')]);
    await pass(10);
    expect([await taken, digits]).toEqual([
      [true, false],
      ['5', null],
    ]);
    const [info] = link.caller.sent.filter((text) => text.startsWith('INFO'));
    expect(info).toContain(`\r\nContent-Type: ${RELAY}\r\nContent-Length: 24\r\n\r\nSignal=5\r\nDuration=160\r\n`);
    await over(link);
  });

  it('keeps the digits in order over a wire that loses and reorders', async () => {
    let sent = 0;
    const delays = [900, 1, 400, 1_200, 1, 700];
    const { link, infos, digits } = await established(
      () => ({ status: 200 }),
      () => (sent++ % 3 === 2 ? LOST : { arrivals: [delays[sent % delays.length]!] }),
    );
    const keys = Array.from({ length: 10 }, (_, key) => String(key));
    const taken = Promise.all(keys.map((digit) => infos.send(RELAY, body(digit))));
    await pass(60_000);
    expect([await taken, digits]).toEqual([keys.map(() => true), keys]);
    await over(link);
  });

  it('that nobody answers is not taken, and with the end of the dialog none is', async () => {
    const { link, infos } = await established(
      () => ({ status: 200 }),
      (_index, text) => (text.startsWith('INFO') ? LOST : ON_TIME),
    );
    const first = infos.send(RELAY, body('1'));
    const rest = Promise.all([infos.send(RELAY, body('2')), infos.send(RELAY, body('3'))]);
    await pass(32_100);
    expect(await first).toBe(false);
    infos.stop();
    expect([await rest, await infos.send(RELAY, body('4'))]).toEqual([[false, false], false]);
    expect(link.caller.sent.some((text) => /Signal=[34]/.test(text))).toBe(false);
    await over(link);
  });
});
