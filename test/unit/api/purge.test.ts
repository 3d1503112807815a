import { purgeHourly } from '../../../api/database';
import { createLogger } from '../../../ops/logger';

it('old idempotency keys are removed batch by batch, rates of idle keys at once, and an outage is no reason to stop', async () => {
  const over = new AbortController();
  const answers: (number | Error)[] = [1000, 12, 0];
  let asked = 0;
  const purge = (): Promise<number> => {
    asked++;
    const answer = answers.shift() ?? new Error('asked too often');
    if (answer === 0) setImmediate(() => over.abort());
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const purgeRates = jest.fn(() => Promise.resolve(3));
  const campaigns = { purge: () => Promise.resolve(0) };
  const store = { apiKeys: { purgeRates }, campaigns, idempotency: { purge } } as unknown as Parameters<
    typeof purgeHourly
  >[0];
  await purgeHourly(store, createLogger({ name: 'test', level: 'silent' }), over.signal);
  expect(asked).toBe(3);
  expect(purgeRates).toHaveBeenCalledTimes(1);

  const again = new AbortController();
  const failing = {
    apiKeys: { purgeRates },
    idempotency: {
      purge: () => {
        setImmediate(() => again.abort());
        return Promise.reject(new Error('away'));
      },
    },
  } as unknown as Parameters<typeof purgeHourly>[0];
  await expect(purgeHourly(failing, createLogger({ name: 'test', level: 'silent' }), again.signal)).resolves.toBe(
    undefined,
  );
});
