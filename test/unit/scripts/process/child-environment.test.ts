import { withoutSecrets } from '../../../../scripts/process/child-environment';

test('a program that is not ours gets none of the secrets, and all else', () => {
  const harmless = {
    PATH: '/bin',
    HOME: '/root',
    GOPROXY: 'https://proxy.example',
    GOFLAGS: '-mod=mod',
    KEYBOARD: 'de',
  };
  const secrets = {
    SECRETS_KEY: 'k',
    BOOTSTRAP_API_KEY: 'k',
    DATABASE_URL: 'postgres://u:p@h/d',
    API_DATABASE_URL: 'postgres://u:p@h/d',
    LLM_API_KEY: 'k',
    TEMPORAL_API_KEY: 'k',
    PGPASSWORD: 'p',
    GITHUB_TOKEN: 't',
    AWS_SECRET_ACCESS_KEY: 's',
  };
  expect(withoutSecrets({ ...harmless, ...secrets })).toEqual(harmless);
});
