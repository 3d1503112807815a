import { QueryFailedError } from 'typeorm';

import { createLogger } from '../../../ops/logger';

describe('a logged error of the database', () => {
  it.each(['err', 'error'])('shows the statement and its cause, never the values, as `%s`', (field) => {
    const lines: string[] = [];
    const logger = createLogger({ name: 'test', destination: { write: (line) => void lines.push(line) } });
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (name)=(Lovelace) exists',
      where: 'JSON data, line 1: {"text":"Babbage...',
    });
    logger.error({ [field]: new QueryFailedError('INSERT INTO t VALUES ($1)', ['what was said'], cause) }, 'failed');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      [field]: {
        type: 'QueryFailedError',
        message: 'duplicate key',
        query: 'INSERT INTO t VALUES ($1)',
        code: '23505',
      },
    });
    expect(lines[0]).not.toContain('what was said');
    expect(lines[0]).not.toContain('Lovelace');
    expect(lines[0]).not.toContain('Babbage');
  });
});
