/** CSV from the store, page by page as its reader takes it: no transaction stays open, however slow that is. */
import { Readable } from 'node:stream';

/**
 * The first page is read before: what fails then is answered as an error.
 * @param page Lines from behind a position on, and the next position; null behind the last
 */
export async function csvPages<Position>(
  header: string,
  start: Position,
  page: (after: Position) => Promise<{ readonly lines: string; readonly next: Position | null }>,
): Promise<Readable> {
  const first = await page(start);
  async function* texts(): AsyncGenerator<string> {
    yield header + first.lines;
    for (let { next } = first; next !== null;) {
      const further = await page(next);
      if (further.lines !== '') yield further.lines;
      next = further.next;
    }
  }
  return Readable.from(texts());
}
