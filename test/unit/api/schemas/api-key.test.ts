import { apiKeyCreate } from '../../../../api/schemas/api-key';

it.each(['phone:admin', 7, null])('scopes that are none are told what they must be: %j', (scopes) => {
  const { error } = apiKeyCreate.safeParse({ name: 'x', scopes });
  expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
    [['scopes'], expect.stringMatching(/^must be "full", or a list of .*phone:read/)],
  ]);
});
