import { fillVariables } from '../../../contract/placeholders';

test('placeholders are filled; one without a value is not spoken with its braces', () => {
  expect(fillVariables('Hi {{name}}{{gone}}, {{ a.b-c_1 }}', { name: 'Ada', 'a.b-c_1': '{{name}}' })).toBe(
    'Hi Ada, {{name}}',
  );
  expect(fillVariables('{{constructor}}', {})).toBe('');
});
