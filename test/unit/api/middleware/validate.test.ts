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

  it('answers 422 for an emergency number when nothing else is wrong', () => {
    const error = refusal(schema, { name: 'x', to: '911' });
    expect([error.status, error.code, error.options.issues?.[0]?.path]).toEqual([422, 'emergency_number', 'to']);
    expect(refusal(schema, { to: '911' }).status).toBe(400);
  });
});
