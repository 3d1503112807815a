import fc from 'fast-check';
import { types } from 'pg';
import { parseTextArray, TEXT_ARRAY } from '../../../store/text-arrays';

const driver = types.getTypeParser(TEXT_ARRAY, 'text') as (text: string) => unknown;

it.each([
  ['{}', []],
  ['{en}', ['en']],
  ['{en,de,NULL,"NULL"}', ['en', 'de', null, 'NULL']],
  ['{"Be brief, please","say \\"hi\\"","a\\\\","\\\\\\"",""}', ['Be brief, please', 'say "hi"', 'a\\', '\\"', '']],
  ['{"{}",b}', ['{}', 'b']],
  ['{"a\nb",ü}', ['a\nb', 'ü']],
  [
    '{{a,b},{c,d}}',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['[2:3]={a,b}', ['a', 'b']],
])('reads %s', (text, values) => {
  expect(parseTextArray(text)).toEqual(values);
  expect(driver(text)).toEqual(values);
});

it('reads whatever PostgreSQL writes as the driver does', () => {
  const character = fc.constantFrom('a', '"', '\\', ',', '{', '}', ' ', '\n', 'ü', 'N', 'U', 'L');
  const word = fc.oneof(fc.string({ unit: character, maxLength: 6 }), fc.constant(null));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (values) => {
      const text = `{${values.map(written).join(',')}}`;
      expect(parseTextArray(text)).toEqual(values);
      expect(driver(text)).toEqual(values);
    }),
  );
});

/** As `array_out` does. */
function written(value: string | null): string {
  if (value === null) return 'NULL';
  const plain = value !== '' && !/["\\{},\s]/.test(value) && value.toUpperCase() !== 'NULL';
  return plain ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
