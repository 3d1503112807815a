import fc from 'fast-check';

import { fillPlaceholders, firstMessageOf } from '../../../../api/calls/first-message';

describe('firstMessageOf', () => {
  it("is null where the agent's own message stands unchanged", () => {
    expect(firstMessageOf('Hello?', undefined, undefined)).toBeNull();
    expect(firstMessageOf('Hello?', undefined, { name: 'Ada' })).toBeNull();
  });

  it("fills the agent's message or the request's", () => {
    expect(firstMessageOf('Hi {{ name }}!', undefined, { name: 'Ada' })).toBe('Hi Ada!');
    expect(firstMessageOf('Hello?', 'Dear {{name}}', { name: 'Ada' })).toBe('Dear Ada');
    expect(firstMessageOf('Hello?', 'Hello?', undefined)).toBe('Hello?');
  });

  it('leaves out what has no value, and never looks at inherited names', () => {
    expect(fillPlaceholders('Hi {{name}}{{toString}}{{__proto__}}!', {})).toBe('Hi !');
  });

  it('does not fill what a value contains', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(fillPlaceholders('<{{a}}>', { a: value })).toBe(`<${value}>`);
      }),
    );
  });
});
