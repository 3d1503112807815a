import { callerIdentity } from '../../../../media/sip/caller-identity';
import { parseMessage } from '../../../../media/sip/message/parser';
import type { SipRequest } from '../../../../media/sip/message/message';

function invite(from: string, ...headers: readonly string[]): SipRequest {
  const lines = ['INVITE sip:+15551234567@trunkline.test SIP/2.0', `From: ${from};tag=1`, ...headers, '', ''];
  return parseMessage(Buffer.from(lines.join('\r\n'))) as SipRequest;
}

const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';
const NUMBER = '+15557654321';

describe('who calls', () => {
  test.each([
    ['From names somebody', `<sip:${NUMBER}@pbx.test>`, [], NUMBER],
    [
      'From before the asserted identity: it is what to call back',
      `<sip:100@pbx.test>`,
      [`P-Asserted-Identity: <sip:${NUMBER}@carrier.test>`],
      '100',
    ],
    ['a sip URI', ANONYMOUS, [`P-Asserted-Identity: "Ann" <sip:${NUMBER}@carrier.test;user=phone>`], NUMBER],
    ['a tel URI', ANONYMOUS, [`P-Asserted-Identity: <tel:${NUMBER}>`], NUMBER],
    ['without brackets', ANONYMOUS, [`P-Asserted-Identity: tel:${NUMBER}`], NUMBER],
    [
      'the first of two that names somebody',
      ANONYMOUS,
      [`P-Asserted-Identity: <sip:anonymous@carrier.test>, <tel:${NUMBER};phone-context=+1>`],
      NUMBER,
    ],
    [
      'a second line',
      'sip:anonymous@pbx.test',
      ['P-Asserted-Identity: <sip:carrier.test>', `P-Asserted-Identity: <tel:${NUMBER}>`],
      NUMBER,
    ],
    [
      'the number of two that name somebody',
      ANONYMOUS,
      [`P-Asserted-Identity: <sip:bob@carrier.test>, <tel:${NUMBER}>`],
      NUMBER,
    ],
    ['a name where no number is', ANONYMOUS, ['P-Asserted-Identity: <sip:bob@carrier.test>'], 'bob'],
    [
      'the older header, of the calling party',
      '<sip:Restricted@pbx.test>',
      [`Remote-Party-ID: <sip:1@a.test>;party=called, "x" <sip:${NUMBER}@a.test>;party=calling;screen=yes`],
      NUMBER,
    ],
    ['an escaped user part', ANONYMOUS, ['P-Asserted-Identity: <sip:%2B15557654321@carrier.test>'], NUMBER],
    ['a header that cannot be read', ANONYMOUS, ['P-Asserted-Identity: "<'], ''],
    ['nobody', '<sip:unknown@pbx.test>', [], ''],
    ['a From without a user part', '<sip:pbx.test>', [], ''],
  ])('%s', (_, from, headers, user) => {
    expect(callerIdentity(invite(from, ...headers)).user).toBe(user);
  });

  test('is not the account by which the peer has authenticated itself, where the network names somebody', () => {
    const from = '"Ann" <sip:trunk-1@pbx.test>';
    const asserted = `P-Asserted-Identity: <sip:${NUMBER}@pbx.test>`;
    const ann = { user: NUMBER, displayName: 'Ann', anonymous: false };
    expect(callerIdentity(invite(from, asserted), 'trunk-1')).toMatchObject(ann);
    expect(callerIdentity(invite(from, asserted), 'trunk-2').user).toBe('trunk-1');
    expect(callerIdentity(invite(from), 'trunk-1')).toMatchObject({ user: 'trunk-1', anonymous: false });
  });

  test('is anonymous where From names nobody, and has the name of whoever is meant', () => {
    const asserted = `P-Asserted-Identity: "Ann" <sip:${NUMBER}@carrier.test>`;
    expect(callerIdentity(invite(`"Bob" <sip:${NUMBER}@pbx.test>`))).toMatchObject({
      displayName: 'Bob',
      anonymous: false,
    });
    expect(callerIdentity(invite(`<sip:${NUMBER}@pbx.test>`))).toMatchObject({ displayName: null, anonymous: false });
    expect(callerIdentity(invite(ANONYMOUS, asserted))).toMatchObject({ displayName: 'Ann', anonymous: true });
    expect(callerIdentity(invite(ANONYMOUS))).toMatchObject({ displayName: null, anonymous: true });
  });
});

describe('the privacy that is asked for', () => {
  test.each([
    ['none', [], []],
    ['none by name', ['Privacy: none'], []],
    ['one value', ['Privacy: id'], ['id']],
    ['several, in any case, each once', ['Privacy: ID;user; critical', 'privacy: id'], ['id', 'user', 'critical']],
    ['a made-up value', ['Privacy: __proto__;id'], ['id']],
    ['by the older header', ['Remote-Party-ID: <sip:1@a.test>;privacy=full'], ['id']],
    ['not by the older header', ['Remote-Party-ID: <sip:1@a.test>;privacy=off'], []],
  ])('%s', (_, headers, privacy) => {
    expect(callerIdentity(invite(ANONYMOUS, ...headers)).privacy).toEqual(privacy);
  });
});
