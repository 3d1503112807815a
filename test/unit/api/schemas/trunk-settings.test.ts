import fc from 'fast-check';

import { codecs, inviteHeaders, ipAllowlist, srtp } from '../../../../api/schemas/trunk-settings';

describe('the networks of a trunk', () => {
  it('are given back as they are understood, each once', () => {
    expect(ipAllowlist.parse(['192.0.2.7/24', '192.0.2.0/24', '198.51.100.1', '2001:DB8::/32'])).toEqual([
      '192.0.2.0/24',
      '198.51.100.1/32',
      '2001:db8::/32',
    ]);
  });

  it.each(['0.0.0.0/0', '::/0', '10.0.0.0/7', '::ffff:0:0/96', '2001::/15', 'sip.example.com', '192.0.2.0/33', ''])(
    'are none that is everybody or nobody: %j',
    (network) => {
      expect(ipAllowlist.safeParse([network]).success).toBe(false);
    },
  );

  it('are a hundred at most', () => {
    const many = Array.from({ length: 101 }, (_, i) => `192.0.2.${i}`);
    expect(ipAllowlist.safeParse(many).success).toBe(false);
    expect(ipAllowlist.safeParse(many.slice(1)).success).toBe(true);
  });
});

describe('the headers of an INVITE', () => {
  const accepted = (headers: unknown): boolean => inviteHeaders.safeParse(headers).success;

  it.each([
    [{}],
    [{ 'X-Account': '4711', 'x-tenant.id_2': 'ü' }],
    [{ 'P-Asserted-Identity': '<sip:+15551234567@acme.example>', Diversion: '<sip:1@acme.example>' }],
  ])('may be %j', (headers) => {
    expect(inviteHeaders.parse(headers)).toEqual(headers);
  });

  it.each([
    'Via',
    'v',
    'From',
    'f',
    'To',
    'CALL-ID',
    'CSeq',
    'Contact',
    'm',
    'Max-Forwards',
    'Route',
    'Record-Route',
    'Content-Length',
    'l',
    'Content-Type',
    'Authorization',
    'Proxy-Authorization',
    'Require',
    'Supported',
    'Session-Expires',
    'Replaces',
    'X-OPENCX-AGENT-ID',
    'X',
    'X-',
    'X-a b',
    'X-a:b',
    'X-a\r\nVia',
    '',
  ])('are none of those that the protocol is made of: %j', (name) => {
    expect(accepted({ [name]: 'value' })).toBe(false);
  });

  it('have no way to what all objects share', () => {
    const parsed = inviteHeaders.parse(JSON.parse('{"__proto__": "x", "X-A": "1"}'));
    expect([Object.keys(parsed), Object.getPrototypeOf(parsed) === Object.prototype]).toEqual([['X-A'], true]);
  });

  it.each(['a\r\nVia: b', 'a\nb', 'a\0', '\u2028', '', ' ', 'x'.repeat(501)])('have no value like %j', (value) => {
    expect(accepted({ 'X-A': value })).toBe(false);
  });

  it('are few, short in all, and none twice', () => {
    const named = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`X-${i}`, value]));
    expect([accepted(named(10, 'v')), accepted(named(11, 'v'))]).toEqual([true, false]);
    expect([accepted(named(2, 'v'.repeat(497))), accepted(named(3, 'v'.repeat(400)))]).toEqual([true, false]);
    expect(accepted({ 'X-A': '1', 'x-a': '2' })).toBe(false);
    expect([accepted({ 'X-A': 1 }), accepted([]), accepted(null)]).toEqual([false, false, false]);
  });

  it('make one line each of an INVITE, whatever was accepted', () => {
    const name = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `X-${rest}`),
      fc.constantFrom('X-A', 'Subject'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (headers) => {
        const result = inviteHeaders.safeParse(headers);
        if (!result.success) return;
        for (const [field, value] of Object.entries(result.data)) {
          expect(`${field}: ${value}`).toMatch(/^[A-Za-z][\w.-]*: [^\r\n\0]*\S[^\r\n\0]*$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('other settings of a trunk', () => {
  it('name codecs that there are, each once, or null', () => {
    const ok = [null, ['PCMU'], ['PCMA', 'PCMU']].map((value) => codecs.safeParse(value).success);
    expect(ok).toEqual([true, true, true]);
    for (const value of [[], ['G729'], ['PCMU', 'PCMU'], 'PCMU']) expect(codecs.safeParse(value).success).toBe(false);
  });

  it('refuse encryption that does not happen', () => {
    expect(srtp.parse('off')).toBe('off');
    const refused = srtp.safeParse('required');
    expect(refused.error?.issues).toMatchObject([{ code: 'custom', params: { code: 'srtp_unavailable' } }]);
    expect(srtp.safeParse('maybe').error?.issues[0]?.code).not.toBe('custom');
  });
});
