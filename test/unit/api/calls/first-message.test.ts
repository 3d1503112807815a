import fc from 'fast-check';

import { firstMessageOf } from '../../../../api/calls/first-message';

describe('firstMessageOf', () => {
  it("is null where the agent's own message stands unchanged", () => {
    expect(firstMessageOf('Hello?', undefined, undefined)).toBeNull();
    expect(firstMessageOf('Hello?', undefined, { name: 'Ada' })).toBeNull();
  });

  it("fills the agent's message or the request's", () => {
    expect(firstMessageOf('Hi {{ name }}!', undefined, { name: 'Ada' })).toBe('Hi Ada!');
    expect(firstMessageOf('Hello?', 'Dear {{name}}', { name: 'Ada' })).toBe('Dear Ada');
    expect(firstMessageOf('Hello?', 'Hello?', undefined)).toBe('Hello?');
    expect(firstMessageOf('Hi {{First Name}}{{#if x}}!', undefined, { First_Name: 'Ada' })).toBe('Hi Ada!');
  });

  it('is not made longer by values than a message may be', () => {
    const long = { name: 'x'.repeat(2000) };
    expect(firstMessageOf('{{name}}{{name}}', undefined, long)).toHaveLength(4000);
    expect(() => firstMessageOf('{{name}}{{name}}{{name}}', undefined, long)).toThrow(
      expect.objectContaining({ status: 422, code: 'first_message_too_long' }),
    );
  });

  it('leaves out what has no value, and never looks at inherited names', () => {
    expect(firstMessageOf('Hi {{name}}{{toString}}{{__proto__}}!', undefined, {})).toBe('Hi !');
  });

  it('does not fill what a value contains', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(firstMessageOf('', '<{{a}}>', { a: value })).toBe(`<${value}>`);
      }),
    );
  });
});
