import type { LegDial } from '../../../../../contract/transfers';
import type { HandedOver } from '../../../../../media/call/transfer/handed-over';
import { legInvite } from '../../../../../media/call/transfer/leg-invite';
import { TRUNK } from '../../../../fakes/fake-directory';

const CALLER: HandedOver = { number: '+15557654321', name: 'Bob', withheld: false, calledNumber: '+15551234567' };
const DIAL: LegDial = {
  legId: 'leg-1',
  target: { type: 'phone', number: '+15557770000' },
  name: null,
  trunkId: TRUNK.id,
  ringTimeoutSeconds: 20,
  sessionId: null,
  agentId: null,
  contactId: null,
};
const PASSING = { ...TRUNK, passCallerId: true, fromHost: 'acme.example' };
const SIP: LegDial = { ...DIAL, target: { type: 'sip', uri: 'sip:sales@pbx.example.com' } };

const headersOf = (trunk: Parameters<typeof legInvite>[1], who: HandedOver, dial = DIAL): unknown =>
  legInvite(dial, trunk, who)?.invite.headers;
const CALLER_HEADERS = [
  ['P-Asserted-Identity', '<sip:+15557654321@acme.example>'],
  ['Diversion', '<sip:+15551234567@acme.example>;reason=deflection;counter=1'],
];

test('tells who calls, and whom they called, by a trunk that passes it, to a number and to a SIP URI', () => {
  expect(headersOf(PASSING, CALLER)).toEqual(CALLER_HEADERS);
  expect(headersOf(PASSING, CALLER, SIP)).toEqual(CALLER_HEADERS);
  expect(headersOf({ ...PASSING, numberFormat: 'e164_no_plus' }, CALLER)).toEqual([
    ['P-Asserted-Identity', '<sip:15557654321@acme.example>'],
    ['Diversion', '<sip:15551234567@acme.example>;reason=deflection;counter=1'],
  ]);
});

test.each<[string, Parameters<typeof legInvite>[1], HandedOver]>([
  ['a trunk that does not', TRUNK, CALLER],
  ['a caller who does not want it', PASSING, { ...CALLER, withheld: true }],
  ['a caller without a number', PASSING, { ...CALLER, number: '', calledNumber: null }],
  ['what is no number', PASSING, { ...CALLER, number: 'a>\r\nX-Evil: 1', calledNumber: 'reception' }],
])('tells nothing of %s', (_, trunk, who) => {
  expect(headersOf(trunk, who)).toEqual([]);
});

test('answers the challenges of a SIP URI by its own credentials, and those of a trunk by the trunk’s', () => {
  const credentials = { username: 'bob', password: 'secret' };
  expect(legInvite({ ...SIP, credentials }, PASSING, CALLER)?.invite.credentials).toEqual(credentials);
  expect(legInvite(SIP, PASSING, CALLER)?.invite.credentials).toBeNull();
  expect(legInvite({ ...DIAL, credentials }, TRUNK, CALLER)?.invite.credentials).toEqual({
    username: TRUNK.username,
    password: TRUNK.password,
  });
});
