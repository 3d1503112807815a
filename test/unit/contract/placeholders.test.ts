import fc from 'fast-check';
import {
  brokenPlaceholdersOf,
  fillNames,
  fillVariables,
  isVariableName,
  variableNameOf,
  variablesOf,
} from '../../../contract/placeholders';

test('placeholders are filled; one without a value is not spoken with its braces', () => {
  expect(fillVariables('Hi {{name}}{{gone}}, {{ a.b-c_1 }}', { name: 'Ada', 'a.b-c_1': '{{name}}' })).toBe(
    'Hi Ada, {{name}}',
  );
  expect(fillVariables('{{constructor}}', {})).toBe('');
});

test.each([
  ['{{First Name}}', 'First_Name'],
  ['{{ First \t Name }}', 'First_Name'],
  ['{{Straße}}', 'Straße'],
  ['{{город}}', 'город'],
  ['{{お名前}}', 'お名前'],
  ['{{नाम}}', 'नाम'],
  ['{{٣}}', '٣'],
  ['{{Mu\u0308ller}}', 'M\u00fcller'],
  ['{{{plan}}}', 'plan'],
  ['{{ open {{plan}}', 'plan'],
])('%s is the variable %s, as a column of that name is', (text, name) => {
  expect([variablesOf([text]), brokenPlaceholdersOf([text])]).toEqual([[name], []]);
  expect(fillVariables(text, { [name]: 'x' })).not.toMatch(/\{\{.*\}\}/);
  expect(fillVariables(text, { [name]: 'x' })).toContain('x');
});

test.each(['{{}}', '{{ }}', '{{#if plan}}', '{{a/b}}', '{{a{b}}', '{{a}b}}', '{{"a": 1}}', `{{${'x'.repeat(65)}}}`])(
  '%s is no name: it is found as it is written, and not spoken',
  (written) => {
    const text = `Hi ${written}, {{name}} ${written}`;
    expect([variablesOf([text]), brokenPlaceholdersOf([text])]).toEqual([['name'], [written]]);
    expect(fillVariables(text, { name: 'Ada' })).toBe('Hi , Ada ');
    // What an agent is told may have examples in braces.
    expect(fillNames(text, { name: 'Ada' })).toBe(`Hi ${written}, Ada ${written}`);
  },
);

test('whatever a text is, nothing between braces is left in it, and each placeholder is a name or broken', () => {
  const words = fc.constantFrom('{', '}', '{{', '}}', 'name', ' ', 'ü', '#', '\n');
  fc.assert(
    fc.property(
      fc.array(words, { maxLength: 20 }).map((parts) => parts.join('')),
      (text) => {
        const none = brokenPlaceholdersOf([text]).length + variablesOf([text]).length === 0;
        expect(fillVariables(text, {}) === text).toBe(none);
        for (const name of variablesOf([text])) {
          expect([isVariableName(name), variableNameOf(name)]).toEqual([true, name]);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
