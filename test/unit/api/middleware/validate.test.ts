import { z } from 'zod';

import { ApiError } from '../../../../api/errors';
import { validated } from '../../../../api/middleware/validate';
import { phoneNumber } from '../../../../api/schemas/primitives';

function refusal(schema: z.ZodType, value: unknown): ApiError {
  try {
    validated(schema, value);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('validated', () => {
  const schema = z.object({ name: z.string(), to: phoneNumber, list: z.array(z.int()).default([]) });

  it('gives what the schema makes of the value', () => {
    expect(validated(schema, { name: 'x', to: '+1 555 123 4567', extra: 1 })).toEqual({
      name: 'x',
      to: '+15551234567',
      list: [],
    });
  });

  it('names every wrong field by its path', () => {
    const error = refusal(schema, { to: 'x', list: [1, 'two'] });
    expect([error.status, error.code]).toEqual([400, 'validation_failed']);
    expect(error.options.issues?.map(({ path }) => path)).toEqual(['name', 'to', 'list.1']);
  });

  it('names no more than a hundred', () => {
    const issues = refusal(schema, { name: 'x', to: '+15551234567', list: Array(5000).fill('x') }).options.issues;
    expect(issues).toHaveLength(100);
  });

  it('answers 422 for several emergency numbers as for one', () => {
    const error = refusal(z.array(phoneNumber), ['911', '112']);
    expect([error.status, error.code, error.options.issues?.length]).toEqual([422, 'emergency_number', 2]);
    expect(refusal(z.array(phoneNumber), ['911', 'x']).status).toBe(400);
  });

  it('answers 422 for an emergency number when nothing else is wrong', () => {
    const error = refusal(schema, { name: 'x', to: '911' });
    expect([error.status, error.code, error.options.issues?.[0]?.path]).toEqual([422, 'emergency_number', 'to']);
    expect(refusal(schema, { to: '911' }).status).toBe(400);
  });
});
