import { createLogger } from '../../../ops/logger';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(createLogger({ name: 'test', level: 'debug', destination: { write: (line) => (text += line) } }));
  return text;
}

describe('a logger', () => {
  test.each([
    'from',
    'toNumber',
    'phone_number',
    'digits',
    'transcript',
    'text',
    'authorization',
    'authPassword',
    'apiKey',
  ])('does not show the field %s', (name) => {
    const text = logged((logger) => logger.info({ [name]: 'private', nested: { list: [{ [name]: 'private' }] } }, 'x'));
    expect(text).not.toContain('private');
    expect(JSON.parse(text)).toMatchObject({ [name]: '[redacted]', nested: { list: [{ [name]: '[redacted]' }] } });
  });

  test('does not show such a field of a child either', () => {
    expect(logged((logger) => logger.child({ caller_number: 'private' }).info('x'))).not.toContain('private');
  });

  test.each([
    ['an E.164 number', 'calling +15551234567 now', '5551234567'],
    ['the user of a SIP URI', 'INVITE sip:15551234567@192.0.2.1:5060 failed', '15551234567'],
    ['a bearer token', 'header Bearer tl_live_abcdefghijkl', 'tl_live_abcdefghijkl'],
    ['the password of a URL', 'postgres://user:hunter2@host/db refused', 'hunter2'],
  ])('hides %s in a message', (_what, message, secret) => {
    expect(logged((logger) => logger.info(message))).not.toContain(secret);
    expect(logged((logger) => logger.error({ err: new Error(message) }, 'failed'))).not.toContain(secret);
  });

  test('keeps what identifies a call', () => {
    const fields = {
      callId: '018f2f5e-0000-7000-8000-000000000001',
      sipCallId: 'a84b4c76e66710',
      status: 486,
      durationMs: 12,
    };
    expect(JSON.parse(logged((logger) => logger.info(fields, 'ended')))).toMatchObject({ ...fields, msg: 'ended' });
  });

  test('each line is one JSON object with name, level and time', () => {
    const lines = logged((logger) => {
      logger.info('a');
      logger.warn({ err: new Error('two\nlines') }, 'b');
    });
    const parsed = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed).toHaveLength(2);
    expect(parsed[1]).toMatchObject({ name: 'test', level: 'warn', msg: 'b' });
    expect(Date.parse(String(parsed[0]?.['time']))).not.toBeNaN();
  });
});
