import { probeTemporal } from '../../../media-node/temporal-probe';

const refused = new Error('no space left');

/** What was asked, and whether an answer was noted. */
async function probe(
  write: boolean | Error | null,
  there: boolean,
): Promise<{ asked: string[]; answered: boolean; error: unknown }> {
  const asked: string[] = [];
  let answered = false;
  let error: unknown = null;
  await probeTemporal({
    write:
      write === null
        ? null
        : () => {
            asked.push('write');
            return write instanceof Error ? Promise.reject(write) : Promise.resolve(write);
          },
    answers: () => {
      asked.push('answers');
      return Promise.resolve(there);
    },
    onAnswer: () => (answered = true),
  }).catch((thrown: unknown) => (error = thrown));
  return { asked, answered, error };
}

it.each([
  ['a write that is taken is all that is asked', true, true, ['write'], true, null],
  ['a write that failed counts when somebody is there', refused, true, ['write', 'answers'], true, refused],
  ['a write that failed does not count when nobody is', refused, false, ['write', 'answers'], false, null],
  ['a write that is late leaves the question whether somebody is there', false, true, ['write', 'answers'], true, null],
  ['a write that is late, and nobody there', false, false, ['write', 'answers'], false, null],
  ['nothing to write yet', null, true, ['answers'], true, null],
  ['nothing to write yet, and nobody there', null, false, ['answers'], false, null],
] as const)('%s', async (_, write, there, asked, answered, error) => {
  expect(await probe(write, there)).toEqual({ asked, answered, error });
});
