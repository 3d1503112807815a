import { ApiError } from '../../../../api/errors';
import { assertStorable } from '../../../../api/middleware/storable';

function issueOf(value: unknown): unknown {
  try {
    assertStorable(value);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return error.options.issues;
    throw error;
  }
  return undefined;
}

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('assertStorable', () => {
  it.each([undefined, null, 1, true, '', 'text \u{1F600}\n', ['a', { b: [] }], nested(64)])('takes %j', (value) => {
    expect(issueOf(value)).toBeUndefined();
  });

  it('names the place of a text that no table can hold', () => {
    const message = 'must not contain U+0000 or lone surrogates';
    expect(issueOf({ list: ['fine', { name: 'a\0b' }] })).toEqual([{ path: 'list.1.name', message }]);
    expect(issueOf({ name: 'half \ud83d' })).toEqual([{ path: 'name', message }]);
    expect(issueOf({ llm: { 'a\0': 1 } })).toEqual([{ path: 'llm', message }]);
  });

  it('refuses endless nesting without following it', () => {
    expect(issueOf(nested(65))).toMatchObject([{ message: 'must not be nested more than 64 levels deep' }]);
    expect(issueOf({ a: nested(100_000) })).toHaveLength(1);
  });
});
