import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import {
  askForSession,
  grantedSession,
  grantSession,
  minSe,
  SESSION_TIMER_POLICY,
  tooBrief,
} from '../../../../media/sip/session-expires';

import type { SessionInterval } from '../../../../media/sip/session-expires';

function parsed(start: string, headers: readonly string[]): SipRequest | SipResponse {
  return parseMessage(Buffer.from([start, ...headers, 'Content-Length: 0', '', ''].join('\r\n'), 'latin1'));
}

const request = (headers: readonly string[], method = 'INVITE'): SipRequest =>
  parsed(`${method} sip:a@b SIP/2.0`, headers) as SipRequest;
const response = (headers: readonly string[]): SipResponse => parsed('SIP/2.0 200 OK', headers) as SipResponse;

const KNOWS = 'Supported: replaces, timer';
const OURS: SessionInterval = { seconds: 600, refresher: 'us' };
const PEERS: SessionInterval = { seconds: 600, refresher: 'peer' };

describe('what a 2xx of ours grants (RFC 4028, table 2)', () => {
  it.each<[string, readonly string[], SessionInterval | null, SessionInterval | null, readonly string[]]>([
    ['nothing asked', [KNOWS], null, null, []],
    ['no timers known', ['Session-Expires: 1800'], null, { seconds: 1_800, refresher: 'us' }, ['uas']],
    [
      'no timers known, uac',
      ['Session-Expires: 1800;refresher=uac'],
      null,
      { seconds: 1_800, refresher: 'us' },
      ['uas'],
    ],
    ['nobody named', [KNOWS, 'Session-Expires: 90'], null, { seconds: 90, refresher: 'us' }, ['uas', 'Require']],
    ['uac', [KNOWS, 'x: 120;refresher=uac'], null, { seconds: 120, refresher: 'peer' }, ['uac', 'Require']],
    [
      'uas',
      [KNOWS, 'Session-Expires: 120 ; refresher=UAS'],
      null,
      { seconds: 120, refresher: 'us' },
      ['uas', 'Require'],
    ],
    [
      'Require says it too',
      ['Require: timer', 'x: 120;refresher=uac'],
      null,
      { seconds: 120, refresher: 'peer' },
      ['uac', 'Require'],
    ],
    ['a hold without a word', [KNOWS], OURS, OURS, ['uas', 'Require']],
    ['a hold of the refresher', [KNOWS], PEERS, PEERS, ['uac', 'Require']],
    ['a peer that knows no timers any more', [], PEERS, { seconds: 600, refresher: 'us' }, ['uas']],
    [
      'Min-SE above what was agreed',
      [KNOWS, 'Min-SE: 900'],
      OURS,
      { seconds: 900, refresher: 'us' },
      ['uas', 'Require'],
    ],
    ['too short, by a proxy', ['Session-Expires: 20'], null, null, []],
    ['too short, by a proxy, in a call', ['Session-Expires: 20'], OURS, OURS, ['uas']],
    ['unreadable', [KNOWS, 'Session-Expires: soon'], null, null, []],
    ['zero', [KNOWS, 'Session-Expires: 0'], null, null, []],
    [
      'ten digits',
      [KNOWS, 'x: 4294967295;refresher=uac'],
      null,
      { seconds: 604_800, refresher: 'peer' },
      ['uac', 'Require'],
    ],
    [
      'an unknown refresher',
      [KNOWS, 'x: 120;refresher=b2bua'],
      null,
      { seconds: 120, refresher: 'us' },
      ['uas', 'Require'],
    ],
  ])('%s', (_what, headers, current, interval, said) => {
    const granted = grantSession(request(headers), current, SESSION_TIMER_POLICY);
    expect(granted?.interval ?? null).toEqual(interval);
    const [role, required] = said;
    const lines = interval === null ? [] : [`Session-Expires: ${interval.seconds};refresher=${role}`];
    expect(granted?.headers ?? []).toEqual(required === undefined ? lines : [...lines, 'Require: timer']);
  });
});

describe('what a 2xx to a request of ours granted', () => {
  it.each<[readonly string[], SessionInterval | null]>([
    [[], null],
    [['Session-Expires: 1800;refresher=uac'], { seconds: 1_800, refresher: 'us' }],
    [['x: 1800;refresher=uas'], { seconds: 1_800, refresher: 'peer' }],
    // Without a refresher somebody has to: we.
    [['Session-Expires: 1800'], { seconds: 1_800, refresher: 'us' }],
    [['Session-Expires: never'], null],
  ])('%j', (headers, interval) => expect(grantedSession(response(headers))).toEqual(interval));
});

describe('an interval that is too short', () => {
  const refusal = { status: 422, headers: ['Min-SE: 90'] };
  it.each([
    ['INVITE', [KNOWS, 'Session-Expires: 89'], refusal],
    ['UPDATE', [KNOWS, 'x: 1;refresher=uac'], refusal],
    ['INVITE', [KNOWS, 'Session-Expires: 90'], null],
    ['INVITE', [KNOWS], null],
    // It may have been put in by a proxy, which the client would not understand.
    ['INVITE', ['Session-Expires: 30'], null],
    ['BYE', [KNOWS, 'Session-Expires: 30'], null],
  ])('%s %j', (method, headers, expected) =>
    expect(tooBrief(request(headers, method), SESSION_TIMER_POLICY)).toEqual(expected),
  );
});

it('asks by role, and for no less than was asked of us', () => {
  expect(askForSession(1_800, 90)).toEqual(['Session-Expires: 1800', 'Min-SE: 90']);
  expect(askForSession(600, 600, 'us')).toEqual(['Session-Expires: 600;refresher=uac', 'Min-SE: 600']);
  expect([minSe(response(['Min-SE: 300'])), minSe(response([])), minSe(response(['Min-SE: x']))]).toEqual([300, 0, 0]);
});
