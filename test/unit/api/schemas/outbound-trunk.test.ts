import { outboundTrunkCreate } from '../../../../api/schemas/outbound-trunk';

const { host: sipHost, username, password } = outboundTrunkCreate.shape;

describe('the host of an outbound trunk', () => {
  it.each([
    'sip.provider.com',
    'sip.provider.com.',
    'localhost',
    '192.0.2.7',
    '2001:db8::7',
    '[2001:db8::7]',
    '::1',
    `${'a'.repeat(63)}.com`,
  ])('takes %s', (host) => {
    expect(sipHost.safeParse(host).success).toBe(true);
  });

  it.each([
    '192.0.2.7:5060',
    '[2001:db8::7]:5060',
    'ab:5060',
    ':',
    '::::',
    '[2001:db8::7',
    'fe80::1%eth0',
    'a b',
    '',
    `${'a'.repeat(64)}.com`,
  ])('refuses %s', (host) => {
    expect(sipHost.safeParse(host).success).toBe(false);
  });
});

describe('user name and password of an outbound trunk', () => {
  it.each(['user', 'Zoë', '\u010d\u010a', '中文', '🙂', 'a "b" \\c, <d>;e'])('may be %j', (text) => {
    expect(username.safeParse(text).success).toBe(true);
    expect(password.safeParse(text).success).toBe(true);
  });

  it.each(['a\rb', 'a\nb', 'a\0b', '\t', '\x7f', '\x85', '\u2028', '\u2029', ''])('may not be %j', (text) => {
    expect(username.safeParse(text).success).toBe(false);
    expect(password.safeParse(text).success).toBe(false);
  });
});
