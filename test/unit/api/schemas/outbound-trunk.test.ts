import { outboundTrunkCreate } from '../../../../api/schemas/outbound-trunk';

const { host: sipHost } = outboundTrunkCreate.shape;

describe('the host of an outbound trunk', () => {
  it.each(['sip.provider.com', 'sip.provider.com.', 'localhost', '192.0.2.7', '2001:db8::7', '[2001:db8::7]', '::1'])(
    'takes %s',
    (host) => {
      expect(sipHost.safeParse(host).success).toBe(true);
    },
  );

  it.each(['192.0.2.7:5060', '[2001:db8::7]:5060', 'ab:5060', ':', '::::', '[2001:db8::7', 'fe80::1%eth0', 'a b', ''])(
    'refuses %s',
    (host) => {
      expect(sipHost.safeParse(host).success).toBe(false);
    },
  );
});
