import { createHash } from 'node:crypto';

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

function invite(authorization: string | null, requestUri = 'sip:1@h'): SipRequest {
  const headers = new Map(authorization === null ? [] : [['authorization', [authorization]]]);
  return new SipRequest({ method: 'INVITE', requestUri, version: 'SIP/2.0' }, headers, none, []);
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
  let server: DigestServer;

  // Wrong passwords of one test make the next wait.
  beforeEach(() => (server = new DigestServer(options)));
  afterEach(() => server.close());

  function authorize(
    from: DigestServer,
    changes: Partial<Omit<Parameters<typeof sign>[0], 'nonce'>> = {},
    source = '192.0.2.1',
  ): { readonly text: string; readonly nonce: string } {
    const nonce = parseDigestHeader(from.challenge(source, false)[0]!.slice('WWW-Authenticate: '.length))!.get(
      'nonce',
    )!;
    const usual = { password: 'secret', username: 'alice', algorithm: 'MD5', nc: '00000001', qop: true } as const;
    return { nonce, text: sign({ ...usual, ...changes, nonce }) };
  }

  function sign(input: {
    password: string;
    username: string;
    algorithm: 'MD5' | 'SHA-256';
    nc: string;
    qop: boolean;
    nonce: string;
    uri?: string;
  }): string {
    const { password, username, algorithm, nc, qop, nonce, uri = 'sip:1@h' } = input;
    const response = digestResponse({
      algorithm,
      username,
      realm: 'trunkline',
      password,
      method: 'INVITE',
      uri,
      nonce,
      ...(qop ? { qop: { nc, cnonce: 'c' } } : {}),
    });
    const count = qop ? `, qop=auth, nc=${nc}, cnonce="c"` : '';
    return (
      `Digest username="${username}", realm="trunkline", nonce="${nonce}", uri="${uri}", response="${response}", ` +
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

  it('accepts the password before a rotation, too, as long as it is told of it', () => {
    const previous = { current: undefined as string | undefined };
    const rotated = new DigestServer({
      ...options,
      credentials: (username) => ({
        username,
        trunkId: 't',
        orgId: 'o',
        password: 'new',
        ...(previous.current === undefined ? {} : { previousPassword: previous.current }),
      }),
    });
    const verdict = (password: string): string =>
      rotated.verify(invite(authorize(rotated, { password }).text), '192.0.2.1').kind;
    previous.current = 'old';
    expect([verdict('new'), verdict('old'), verdict('older')]).toEqual(['accepted', 'accepted', 'denied']);
    previous.current = undefined;
    expect([verdict('new'), verdict('old')]).toEqual(['accepted', 'denied']);
    rotated.close();
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

  it.each([
    ['sip:1@h', 'accepted'],
    ['SIP:%31@H;x=1', 'accepted'],
    ['sip:2@h', 'other_uri'],
    ['sip:1@h:5060', 'other_uri'],
    ['sips:1@h', 'other_uri'],
  ])('credentials for sip:1@h in a request for %s are %s', (requestUri, kind) => {
    expect(server.verify(invite(authorize(server).text, requestUri), '192.0.2.1').kind).toBe(kind);
    const wrong = authorize(server, { password: 'x' }).text;
    expect(server.verify(invite(wrong, requestUri), '192.0.2.1').kind).toBe('denied');
  });

  it('takes credentials that name the server alone', () => {
    const { text } = authorize(server, { uri: 'sip:h' });
    expect(server.verify(invite(text), '192.0.2.1').kind).toBe('accepted');
    expect(server.verify(invite(authorize(server, { uri: 'sip:x' }).text), '192.0.2.1').kind).toBe('other_uri');
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
      expect(client.newRequest()(challengeResponse(401, [line.slice('WWW-Authenticate: '.length)]))).toBe(true);
      for (const count of [1, 2]) {
        const [answer] = client.authorize({ method: 'INVITE', requestUri: 'sip:1@h', body: '' });
        expect(answer).toContain(`nc=0000000${count}`);
        const verdict = server.verify(invite(answer!.slice('Authorization: '.length)), '192.0.2.1');
        expect(verdict.kind).toBe('accepted');
      }
    }
  });
});

describe('digest client', () => {
  const client = (username = 'b"ob'): DigestClient => new DigestClient({ username, password: 'pw' }, () => 'cn');
  const md5 = 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth-int, auth", opaque="o"';
  const fresh = (nonce: string, realm = 'r'): string => `Digest realm="${realm}", nonce="${nonce}", qop="auth"`;
  const request = { method: 'INVITE', requestUri: 'sip:x', body: 'v=0\r\n' };
  const md5Of = (text: string | Buffer): string => createHash('md5').update(text).digest('hex');

  /** What a client that has been challenged with these puts into its next request. */
  function answersTo(values: readonly string[], status: 401 | 407 = 401): string[] {
    const one = client();
    return one.newRequest()(challengeResponse(status, values)) ? one.authorize(request) : [];
  }

  it('puts nothing into a request before anybody has challenged', () => {
    expect(client().authorize(request)).toEqual([]);
    expect(client().challengers).toBe(0);
  });

  it('answers with qop, count and opaque', () => {
    expect(answersTo([md5])).toEqual([
      expect.stringMatching(
        /^Authorization: Digest username="b\\"ob", realm="r", nonce="n", uri="sip:x", response="[0-9a-f]{32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="cn", opaque="o"$/,
      ),
    ]);
  });

  it('answers without qop when none is offered, and a proxy in its own header', () => {
    const [answer] = answersTo(['Digest realm="r", nonce="n"'], 407);
    expect(answer).toMatch(/^Proxy-Authorization: /);
    expect(answer).not.toMatch(/qop|cnonce/);
  });

  it('takes the strongest challenge that it can compute, wherever it stands', () => {
    const sha = md5.replace('MD5', 'SHA-256').replace('"n"', '"n2"');
    const foreign = md5.replace('MD5', 'SHA-512-256');
    for (const values of [[md5, sha, foreign], [foreign, sha, md5], [`${md5}, ${sha}`]]) {
      expect(answersTo(values)).toEqual([expect.stringContaining('algorithm=SHA-256')]);
    }
    for (const none of [foreign, 'Basic realm="r"', md5.replace('auth-int, auth', 'auth-conf')]) {
      expect(answersTo([none])).toEqual([]);
    }
  });

  it('splits challenges where a scheme begins and nowhere else', () => {
    const values = [
      'Digest realm="a, Digest b" , nonce = "n" , qop="auth", Basic realm="c", Digest realm="d", nonce="e"',
    ];
    expect(answersTo(values).map((line) => /realm="([^"]+)"/.exec(line)?.[1])).toEqual(['a, Digest b', 'd']);
  });

  it('protects the body and keeps a session only where nothing else is offered', () => {
    const int = md5.replace('auth-int, auth', 'auth-int').replace('"n"', '"int"');
    const sess = md5.replace('MD5', 'SHA-256-sess').replace('"n"', '"sess"');
    expect(answersTo([int, sess, md5])).toEqual([expect.stringContaining('nonce="n"')]);
    expect(answersTo([int, sess])).toEqual([expect.stringContaining('algorithm=SHA-256-sess, qop=auth,')]);
    const a1 = md5Of('b"ob:r:pw');
    const a2 = md5Of(`INVITE:sip:x:${md5Of(request.body)}`);
    expect(answersTo([int])[0]).toContain(`response="${md5Of(`${a1}:int:00000001:cn:auth-int:${a2}`)}"`);
    const both = int.replace('MD5', 'MD5-sess');
    const session = md5Of(`${a1}:int:cn`);
    expect(answersTo([both])[0]).toContain(`response="${md5Of(`${session}:int:00000001:cn:auth-int:${a2}`)}"`);
    expect(answersTo([both])[0]).toContain('algorithm=MD5-sess, qop=auth-int, nc=00000001, cnonce="cn"');
  });

  it('keeps the client nonce of a session for all requests with its nonce', () => {
    let made = 0;
    const one = new DigestClient({ username: 'bob', password: 'pw' }, () => `c${made++}`);
    one.newRequest()(challengeResponse(401, [md5.replace('MD5', 'MD5-sess')]));
    const cnonces = [1, 2, 3].map(() => /cnonce="(\w+)".*/.exec(one.authorize(request)[0]!)?.[1]);
    expect(cnonces).toEqual(['c0', 'c0', 'c0']);
  });

  it.each([
    ['müller', 'carrier'],
    ['bob', 'Telefonanlage München'],
    ['čeč', '電話 "交換"'],
    ['a\u010D\u010AX: 1', 'carrier'],
  ])('writes the bytes that it hashed for user %j in realm %j', (username, realm) => {
    const one = client(username);
    const onWire = Buffer.from(realm).toString('latin1').replace(/"/g, '\\"');
    one.newRequest()(challengeResponse(407, [`Digest realm="${onWire}", nonce="n"`]));
    const [line] = one.authorize(request);
    const response = md5Of(`${md5Of(`${username}:${realm}:pw`)}:n:${md5Of('INVITE:sip:x')}`);
    expect(Buffer.from(line!, 'latin1').toString('utf8')).toContain(
      `username="${username}", realm="${realm.replace(/"/g, '\\"')}"`,
    );
    expect(line).toContain(`response="${response}"`);
    expect(Buffer.from(line!, 'latin1')).not.toContain(10);
  });

  it('echoes a realm that is not even UTF-8', () => {
    const one = client('bob');
    one.newRequest()(challengeResponse(401, ['Digest realm="M\xfcnchen", nonce="n"']));
    const [line] = one.authorize(request);
    const a1 = md5Of(Buffer.from('bob:M\xfcnchen:pw', 'latin1'));
    expect(line).toContain('realm="M\xfcnchen"');
    expect(line).toContain(`response="${md5Of(`${a1}:n:${md5Of('INVITE:sip:x')}`)}"`);
  });

  it('answers each challenger once in a request, and once more for a stale nonce', () => {
    const judge = client().newRequest();
    expect(judge(challengeResponse(401, [md5]))).toBe(true);
    expect(judge(challengeResponse(401, [md5]))).toBe(false);
    expect(judge(challengeResponse(401, [fresh('n2')]))).toBe(false);
    expect(judge(challengeResponse(401, [`${fresh('n3')}, stale=TRUE`]))).toBe(true);
    expect(judge(challengeResponse(401, [`${fresh('n4')}, stale=true`]))).toBe(false);
    expect(judge(challengeResponse(401, [fresh('n5')]))).toBe(false);
  });

  it('answers at most five challenges of a request, whoever makes them', () => {
    const one = client();
    const judge = one.newRequest();
    const verdicts = Array.from({ length: 9 }, (_, i) => judge(challengeResponse(401, [fresh('n', `r${i}`)])));
    expect(verdicts).toEqual([true, true, true, true, true, false, false, false, false]);
    expect(one.authorize(request)).toHaveLength(5);
    const many = Array.from({ length: 9 }, (_, i) => fresh('n', `r${i}`));
    expect(client().newRequest()(challengeResponse(407, many))).toBe(false);
  });

  it('keeps the credentials of a bounded number of challengers', () => {
    const one = client();
    for (let i = 0; i < 30; i++) one.newRequest()(challengeResponse(401, [fresh('n', `r${i}`)]));
    const realms = one.authorize(request).map((line) => /realm="(\w+)"/.exec(line)?.[1]);
    expect(realms).toEqual(['r22', 'r23', 'r24', 'r25', 'r26', 'r27', 'r28', 'r29']);
  });

  it('takes a fresh or the same nonce for another request, which no wrong password can explain', () => {
    const one = client();
    const nonceAndCount = (): string[] =>
      one.authorize(request).map((line) => /nonce="(\w+)".*nc=(\w+)/.exec(line)!.slice(1).join(' '));
    expect(one.newRequest()(challengeResponse(401, [md5]))).toBe(true);
    expect(nonceAndCount()).toEqual(['n 00000001']);
    expect(one.newRequest()(challengeResponse(401, [md5]))).toBe(true);
    expect(nonceAndCount()).toEqual(['n 00000002']);
    expect(one.newRequest()(challengeResponse(401, [fresh('n2')]))).toBe(true);
    expect(nonceAndCount()).toEqual(['n2 00000001']);
    expect(nonceAndCount()).toEqual(['n2 00000002']);
  });

  it('answers a proxy and the server behind it, in whichever order, and both in one response', () => {
    const headers = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, line.indexOf(':')));
    for (const order of [
      [407, 401],
      [401, 407],
    ] as const) {
      const one = client();
      const judge = one.newRequest();
      for (const status of order) expect(judge(challengeResponse(status, [fresh('n')]))).toBe(true);
      expect(headers(one.authorize(request)).toSorted()).toEqual(['Authorization', 'Proxy-Authorization']);
    }
    const one = client();
    const lines = new Map([
      ['www-authenticate', [fresh('a', 'gateway')]],
      ['proxy-authenticate', [fresh('b', 'proxy 1'), fresh('c', 'proxy 2')]],
    ]);
    expect(one.newRequest()(new SipResponse({ status: 407, reason: '' }, lines, none, []))).toBe(true);
    expect(headers(one.authorize(request))).toEqual(['Authorization', 'Proxy-Authorization', 'Proxy-Authorization']);
  });

  it('answers each of several proxies of one realm', () => {
    const nonces = answersTo([fresh('a'), fresh('b'), fresh('a')], 407).map((line) => /nonce="(\w)"/.exec(line)?.[1]);
    expect(nonces).toEqual(['a', 'b']);
  });
});
