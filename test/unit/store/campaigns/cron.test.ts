import { cronProblem } from '../../../../store/campaigns/cron';

test.each(['0 9 * * 1', '30 9,14 1-15 * *', '5 */2 * 1-12/3 1-5', '59 0-23/4 31 12 0'])('%s is taken', (text) => {
  expect(cronProblem(text)).toBeNull();
});

test.each([
  ['', 'five fields'],
  ['0 9 * *', 'five fields'],
  ['0 9 * * 1 2027', 'five fields'],
  ['@daily', 'five fields'],
  ['* * * * *', 'one minute'],
  ['0,30 9 * * *', 'one minute'],
  ['*/5 9 * * *', 'one minute'],
  ['60 9 * * *', 'the field 60'],
  ['0 24 * * *', 'the field 24'],
  ['0 9 0 * *', 'the field 0'],
  ['0 9 * 13 *', 'the field 13'],
  ['0 9 * * 7', 'the field 7'],
  ['0 9 * * mon', 'the field mon'],
  ['0 17-9 * * *', 'the field 17-9'],
  ['0 */0 * * *', 'the field */0'],
  ['0 9, * * *', 'the field 9,'],
])('%p is refused: %s', (text, problem) => {
  expect(cronProblem(text)).toContain(problem);
});
