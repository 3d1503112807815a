import { agentCreate } from '../../../../api/schemas/agent';

describe("an agent's provider settings", () => {
  it.each(['api_key', 'apiKey', 'x-api-key', 'ACCESS_TOKEN', 'clientSecret', 'openaiKey', 'Password', 'credentials'])(
    'leave out %s',
    (name) => {
      const { llm } = agentCreate.parse({ name: 'x', llm: { provider: 'openai', [name]: 'sk-very-secret' } });
      expect(llm).toEqual({ provider: 'openai' });
    },
  );

  it.each(['max_tokens', 'maxTokens', 'keyterms', 'monkey', 'tokenizer', 'key_style'])('keep %s', (name) => {
    const { llm } = agentCreate.parse({ name: 'x', llm: { provider: 'openai', [name]: 'plain' } });
    expect(llm).toEqual({ provider: 'openai', [name]: 'plain' });
  });
});

describe("an agent's URLs", () => {
  it.each(['custom_llm', 'data_collection_webhook_url'])('hold no credentials: %s', (field) => {
    const parse = (url: string): boolean => agentCreate.safeParse({ name: 'x', [field]: url }).success;
    expect(parse('https://example.com/v1?x=1')).toBe(true);
    expect(parse('https://user:secret@example.com/v1')).toBe(false);
    expect(parse('https://secret@example.com/v1')).toBe(false);
    expect(parse('not a url')).toBe(false);
  });
});

describe("an agent's languages", () => {
  it.each([
    ['en', true],
    ['de', true],
    ['zz', false],
    ['EN', false],
    ['eng', false],
  ])('are ISO 639-1: %s', (language, valid) => {
    expect(agentCreate.safeParse({ name: 'x', language }).success).toBe(valid);
  });

  it.each(['en-US', 'EN', 7, null])('that are none are told what they must be: %j', (language) => {
    const { error } = agentCreate.safeParse({ name: 'x', language });
    expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['language'], expect.stringContaining('must be an ISO 639-1 code')],
    ]);
  });
});
