/** Cron expressions as a campaign may have them: five fields of numbers, and a round an hour at most. */

/** Minute, hour, day of the month, month, day of the week (0 is Sunday): lowest and highest value. */
const FIELDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;
const PART = /^(\*|\d{1,2}(?:-\d{1,2})?)(?:\/(\d{1,2}))?$/;

/** What is wrong with it, for people; null: nothing. */
export function cronProblem(text: string): string | null {
  const fields = text.split(' ');
  if (fields.length !== FIELDS.length)
    return 'must be five fields: minute, hour, day of the month, month, day of the week';
  if (!/^\d{1,2}$/.test(fields[0] ?? '')) return 'must name one minute: an hour lies between two rounds at least';
  const broken = fields.find((field, n) => !field.split(',').every((part) => isPart(part, FIELDS[n] ?? [0, 0])));
  return broken === undefined ? null : `must not have the field ${broken}`;
}

function isPart(part: string, [low, high]: readonly [number, number]): boolean {
  const found = PART.exec(part);
  if (found === null) return false;
  const [, range = '', step] = found;
  if (step !== undefined && (Number(step) < 1 || Number(step) > high)) return false;
  if (range === '*') return true;
  const [from = low, to = from] = range.split('-').map(Number);
  return from >= low && to <= high && from <= to;
}
