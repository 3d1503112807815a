import fc from 'fast-check';
import { jsonbParameter, storableText } from '../../../store/jsonb';

describe('storableText', () => {
  it('leaves well-formed text without U+0000 alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('\0'));
        return storableText(text) === text;
      }),
    );
    expect(storableText('😀')).toBe('😀');
  });

  it('replaces U+0000 and lone surrogates', () => {
    expect(storableText('a\0b')).toBe('a\uFFFDb');
    expect(storableText('\uD83D')).toBe('\uFFFD');
    expect(storableText('\uDE00\uD83D!')).toBe('\uFFFD\uFFFD!');
  });
});

describe('jsonbParameter', () => {
  it('is JSON that holds nothing PostgreSQL refuses, in keys too', () => {
    fc.assert(
      fc.property(
        fc.anything({ key: fc.string({ unit: 'binary' }), values: [fc.string({ unit: 'binary' })] }),
        (value) => {
          const json = jsonbParameter(value);
          JSON.parse(json);
          expect(json).not.toMatch(/\\u0000(?<!\\\\u0000)|\\ud[89a-f]/);
        },
      ),
    );
  });

  it('keeps dates, numbers and nesting, and makes null of what JSON has no word for', () => {
    expect(jsonbParameter({ at: new Date(0), n: [1.5, undefined, Number.NaN], b: 10n, u: undefined })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","n":[1.5,null,null],"b":"10"}',
    );
    expect(jsonbParameter(undefined)).toBe('null');
  });
});
