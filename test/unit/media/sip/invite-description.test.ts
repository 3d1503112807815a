import type { Flow } from '../../../../media/sip/edge/flow';
import { describeInvite } from '../../../../media/sip/invite-description';
import { parseMessage } from '../../../../media/sip/message/parser';
import type { SipRequest } from '../../../../media/sip/message/message';

function requestUser(requestUri: string): string {
  const lines = [
    `INVITE ${requestUri} SIP/2.0`,
    'From: <sip:a@b>;tag=1',
    'To: <sip:c@d>',
    'Call-ID: x',
    'CSeq: 1 INVITE',
  ];
  const request = parseMessage(Buffer.from([...lines, '', ''].join('\r\n'))) as SipRequest;
  const flow = { peer: { address: '192.0.2.1', port: 5060 } } as unknown as Flow;
  const identity = { trunkId: 'trunk', orgId: 'org' } as Parameters<typeof describeInvite>[2];
  return describeInvite(request, flow, identity, '192.0.2.2', 0).requestUser;
}

test.each([
  ['sip:+15551234567@192.0.2.2', '+15551234567'],
  ['sip:%2B15551234567@192.0.2.2;user=phone', '+15551234567'],
  ['tel:+1-555-123-4567', '+1-555-123-4567'],
  // In which country the number is national stands in the user part (RFC 3261 §19.1.6), of a tel URI behind it (RFC 3966 §5.1.5).
  ['sip:2079460000;phone-context=+44@192.0.2.2;user=phone', '2079460000;phone-context=+44'],
  ['sip:2079460000;phone-context=%2B44@192.0.2.2;user=phone', '2079460000;phone-context=+44'],
  ['tel:2079460000;phone-context=+44', '2079460000;phone-context=+44'],
  ['tel:2079460000;npdi;phone-context=%2b44', '2079460000;phone-context=+44'],
  // Some put it behind the host.
  ['sip:2079460000@192.0.2.2;phone-context=+44', '2079460000;phone-context=+44'],
  ['sip:2079460000@192.0.2.2;phone-context', '2079460000'],
  ['sip:192.0.2.2', ''],
  ['sip:192.0.2.2;phone-context=+44', ''],
])('the user part of %s is %j', (requestUri, user) => {
  expect(requestUser(requestUri)).toBe(user);
});
