import { DigestClient } from '../../../../../media/sip/auth/digest-client';
import { digestResponse, parseDigestHeader } from '../../../../../media/sip/auth/digest';
import { DigestServer } from '../../../../../media/sip/auth/digest-server';
import { SipRequest, SipResponse } from '../../../../../media/sip/message/message';
import { newMasterKey, SecretBox } from '../../../../../store/secrets';
import { FakeClock } from '../../../../fakes/fake-clock';

const none = Buffer.alloc(0);

function challengeResponse(status: 401 | 407, values: readonly string[]): SipResponse {
  const name = status === 401 ? 'www-authenticate' : 'proxy-authenticate';
  return new SipResponse({ status, reason: '' }, new Map([[name, [...values]]]), none, []);
}

function invite(authorization: string | null): SipRequest {
  const headers = new Map(authorization === null ? [] : [['authorization', [authorization]]]);
  return new SipRequest({ method: 'INVITE', requestUri: 'sip:1@h', version: 'SIP/2.0' }, headers, none, []);
}

describe('digest response', () => {
  // RFC 7616 §3.9.1.
  const rfc7616 = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    password: 'Circle of Life',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    qop: { nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
  } as const;

  it('is the one of RFC 7616 with MD5 and SHA-256', () => {
    expect(digestResponse({ ...rfc7616, algorithm: 'MD5' })).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(digestResponse({ ...rfc7616, algorithm: 'SHA-256' })).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  it('is the one of RFC 2617 with qop', () => {
    expect(
      digestResponse({
        algorithm: 'MD5',
        username: 'Mufasa',
        realm: 'testrealm@host.com',
        password: 'Circle Of Life',
        method: 'GET',
        uri: '/dir/index.html',
        nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
        qop: { nc: '00000001', cnonce: '0a4f113b' },
      }),
    ).toBe('6629fae49393a05397450978507c4ef1');
  });

  it('is the one of RFC 2069 (erratum 749) without', () => {
    expect(
      digestResponse({
        algorithm: 'MD5',
        username: 'Mufasa',
        realm: 'testrealm@host.com',
        password: 'CircleOfLife',
        method: 'GET',
        uri: '/dir/index.html',
        nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      }),
    ).toBe('1949323746fe6a43ef61f9606e7febea');
  });

  it('reads parameters with commas and quotes inside', () => {
    expect(parseDigestHeader('digest a="x, \\"y\\"", b=2 ,A=3')).toEqual(
      new Map([
        ['a', 'x, "y"'],
        ['b', '2'],
      ]),
    );
    expect(parseDigestHeader('Basic abc')).toBeNull();
  });
});

describe('digest server', () => {
  const clock = new FakeClock();
  const options = {
    realm: 'trunkline',
    nonceKey: Buffer.alloc(32, 1),
    clock,
    credentials: (username: string) =>
      username === 'alice' ? { username, password: 'secret', trunkId: 't', orgId: 'o' } : undefined,
  };
  const server = new DigestServer(options);

  function authorize(
    from: DigestServer,
    changes: { password?: string; username?: string; algorithm?: 'MD5' | 'SHA-256'; nc?: string; qop?: boolean } = {},
    source = '192.0.2.1',
  ): { readonly text: string; readonly nonce: string } {
    const { password = 'secret', username = 'alice', algorithm = 'MD5', nc = '00000001', qop = true } = changes;
    const nonce = parseDigestHeader(from.challenge(source, false)[0]!.slice('WWW-Authenticate: '.length))!.get(
      'nonce',
    )!;
    return { nonce, text: sign({ password, username, algorithm, nc, qop, nonce }) };
  }

  function sign(input: {
    password: string;
    username: string;
    algorithm: 'MD5' | 'SHA-256';
    nc: string;
    qop: boolean;
    nonce: string;
  }): string {
    const { password, username, algorithm, nc, qop, nonce } = input;
    const response = digestResponse({
      algorithm,
      username,
      realm: 'trunkline',
      password,
      method: 'INVITE',
      uri: 'sip:1@h',
      nonce,
      ...(qop ? { qop: { nc, cnonce: 'c' } } : {}),
    });
    const count = qop ? `, qop=auth, nc=${nc}, cnonce="c"` : '';
    return (
      `Digest username="${username}", realm="trunkline", nonce="${nonce}", uri="sip:1@h", response="${response}", ` +
      `algorithm=${algorithm}${count}`
    );
  }

  it('offers MD5 and SHA-256 with qop, and a nonce of its own each time', () => {
    const lines = server.challenge('192.0.2.1', true);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/algorithm=MD5, realm="trunkline", nonce="[\w-]+", qop="auth", stale=true$/);
    expect(lines[1]).toContain('algorithm=SHA-256');
    expect(server.challenge('192.0.2.1', true)).not.toEqual(lines);
  });

  it('offers MD5 alone to phones that stumble over anything else', () => {
    expect(server.challenge('192.0.2.1', false, 'baresip v1.0.0 (x86_64/linux)')).toHaveLength(1);
    expect(server.challenge('192.0.2.1', false, 'baresip v3.10.0')).toHaveLength(2);
  });

  it.each(['MD5', 'SHA-256'] as const)('accepts the right password with %s', (algorithm) => {
    const verdict = server.verify(invite(authorize(server, { algorithm }).text), '192.0.2.1');
    expect(verdict).toMatchObject({ kind: 'accepted', credentials: { trunkId: 't' } });
  });

  it('accepts the challenge of another node with the same SECRETS_KEY, and none of a node with another', () => {
    const nodeWith = (secretsKey: string): DigestServer =>
      new DigestServer({ ...options, nonceKey: new SecretBox(secretsKey).derive('nonce') });
    const [secretsKey, another] = [newMasterKey(), newMasterKey()];
    const challenged = authorize(nodeWith(secretsKey));
    expect(nodeWith(secretsKey).verify(invite(challenged.text), '192.0.2.1')).toMatchObject({
      kind: 'accepted',
      credentials: { trunkId: 't' },
    });
    expect(nodeWith(another).verify(invite(challenged.text), '192.0.2.1')).toEqual({ kind: 'challenge', stale: false });
  });

  it('denies a wrong password and an unknown user alike', () => {
    for (const changes of [
      { password: 'x' },
      { username: 'mallory' },
      { username: 'mallory', password: 'no such user' },
    ]) {
      expect(server.verify(invite(authorize(server, changes).text), '192.0.2.1')).toEqual({ kind: 'denied' });
    }
  });

  it('does not look at credentials while their source has to wait, and takes the right ones from elsewhere', async () => {
    const guessed = new DigestServer(options);
    const verdict = (password: string, source: string): string =>
      guessed.verify(invite(authorize(guessed, { password }, source).text), source).kind;
    const guesses = Array.from({ length: 1_000 }, (_, n) => verdict(`guess ${n}`, '192.0.2.66'));
    expect(guesses.filter((kind) => kind === 'denied').length).toBeLessThan(10);
    expect(verdict('secret', '192.0.2.66')).toBe('paused');
    expect(verdict('secret', '192.0.2.1')).toBe('accepted');
    // Nor does anybody wait for answers to nonces that are not ours.
    expect(guessed.verify(invite(authorize(guessed, {}, '192.0.2.66').text), '192.0.2.5').kind).toBe('challenge');
    await clock.advance(30_000);
    expect(verdict('secret', '192.0.2.66')).toBe('accepted');
    guessed.close();
  });

  it('binds the nonce to the source address', () => {
    expect(server.verify(invite(authorize(server).text), '192.0.2.2')).toEqual({ kind: 'challenge', stale: false });
  });

  it('calls an expired nonce stale, if the password was right', async () => {
    const { text } = authorize(server);
    const wrong = authorize(server, { password: 'x' });
    await clock.advance(61_000);
    expect(server.verify(invite(text), '192.0.2.1')).toEqual({ kind: 'challenge', stale: true });
    expect(server.verify(invite(wrong.text), '192.0.2.1')).toEqual({ kind: 'denied' });
  });

  it('takes each count once and a nonce without qop once', () => {
    const { text, nonce } = authorize(server);
    const base = { password: 'secret', username: 'alice', algorithm: 'MD5', nonce } as const;
    expect(server.verify(invite(text), '192.0.2.1').kind).toBe('accepted');
    expect(server.verify(invite(text), '192.0.2.1')).toEqual({ kind: 'challenge', stale: true });
    expect(server.verify(invite(sign({ ...base, nc: '00000002', qop: true })), '192.0.2.1').kind).toBe('accepted');
    const plain = authorize(server, { qop: false });
    expect(server.verify(invite(plain.text), '192.0.2.1').kind).toBe('accepted');
    expect(server.verify(invite(plain.text), '192.0.2.1')).toEqual({ kind: 'challenge', stale: true });
  });

  it.each([
    null,
    'Basic YTpi',
    'Digest',
    'Digest realm="other", nonce="x"',
    'Digest realm="trunkline", username="alice", uri="u", nonce="!!", response="x"',
    'Digest realm="trunkline", username="alice", uri="u", nonce="x", response="x", algorithm=MD5-sess',
  ])('challenges %j', (text) => {
    expect(server.verify(invite(text), '192.0.2.1')).toEqual({ kind: 'challenge', stale: false });
  });

  it('understands what our own client answers', () => {
    for (const index of [0, 1]) {
      const line = server.challenge('192.0.2.1', false)[index]!;
      const client = new DigestClient({ username: 'alice', password: 'secret' });
      const answer = client.answer(
        challengeResponse(401, [line.slice('WWW-Authenticate: '.length)]),
        'INVITE',
        'sip:1@h',
      );
      const verdict = server.verify(invite(answer!.slice('Authorization: '.length)), '192.0.2.1');
      expect(verdict.kind).toBe('accepted');
    }
  });
});

describe('digest client', () => {
  const client = (): DigestClient => new DigestClient({ username: 'b"ob', password: 'pw' }, () => 'cn');
  const md5 = 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth-int, auth", opaque="o"';

  it('answers with qop, count and opaque', () => {
    const answer = client().answer(challengeResponse(401, [md5]), 'INVITE', 'sip:x');
    expect(answer).toMatch(
      /^Authorization: Digest username="b\\"ob", realm="r", nonce="n", uri="sip:x", response="[0-9a-f]{32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="cn", opaque="o"$/,
    );
  });

  it('answers without qop when none is offered, and a proxy in its own header', () => {
    const answer = client().answer(challengeResponse(407, ['Digest realm="r", nonce="n"']), 'INVITE', 'sip:x');
    expect(answer).toMatch(/^Proxy-Authorization: /);
    expect(answer).not.toContain('qop');
  });

  it('takes the strongest challenge that it can compute, wherever it stands', () => {
    const sha = md5.replace('MD5', 'SHA-256').replace('"n"', '"n2"');
    const foreign = md5.replace('MD5', 'SHA-512-256');
    for (const values of [[md5, sha, foreign], [foreign, sha, md5], [`${md5}, ${sha}`]]) {
      expect(client().answer(challengeResponse(401, values), 'INVITE', 'sip:x')).toContain('algorithm=SHA-256');
    }
    expect(client().answer(challengeResponse(401, [foreign]), 'INVITE', 'sip:x')).toBeNull();
    expect(client().answer(challengeResponse(401, ['Basic realm="r"']), 'INVITE', 'sip:x')).toBeNull();
    expect(
      client().answer(challengeResponse(401, [md5.replace('auth-int, auth', 'auth-int')]), 'INVITE', 's'),
    ).toBeNull();
  });

  it('answers once, and once more for each fresh nonce that is marked stale', () => {
    const one = client();
    expect(one.answer(challengeResponse(401, [md5]), 'INVITE', 'sip:x')).not.toBeNull();
    expect(one.answer(challengeResponse(401, [md5]), 'INVITE', 'sip:x')).toBeNull();
    expect(one.answer(challengeResponse(401, [md5.replace('"n"', '"n2"')]), 'INVITE', 'sip:x')).toBeNull();
    const stale = `${md5.replace('"n"', '"n3"')}, stale=TRUE`;
    expect(one.answer(challengeResponse(401, [stale]), 'INVITE', 'sip:x')).not.toBeNull();
    expect(one.answer(challengeResponse(401, [stale]), 'INVITE', 'sip:x')).toBeNull();
  });

  it('answers a proxy and the server behind it', () => {
    const one = client();
    expect(one.answer(challengeResponse(407, [md5]), 'INVITE', 'sip:x')).not.toBeNull();
    expect(one.answer(challengeResponse(401, [md5.replace('"n"', '"n2"')]), 'INVITE', 'sip:x')).not.toBeNull();
  });
});
