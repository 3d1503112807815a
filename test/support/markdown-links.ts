/** Links of our documentation that lead nowhere. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const INLINE_CODE = /`[^`]*`/g;
/** Inline links and images, the text of which may hold code; the address may stand in angle brackets. */
const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/;
const ELSEWHERE = /^[a-z][a-z\d+.-]*:/i;

/** `<file>: <link>` for each relative link of these files to a file, a folder or a heading that is not there. */
export function brokenLinks(root: string, files: readonly string[]): string[] {
  return files.flatMap((file) =>
    linksOf(readFileSync(join(root, file), 'utf8'))
      .filter((link) => !ELSEWHERE.test(link) && !resolves(root, file, link))
      .map((link) => `${file}: ${link}`),
  );
}

/** The files below `root` that these link to. */
export function linkedFiles(root: string, files: readonly string[]): Set<string> {
  return new Set(
    files.flatMap((file) =>
      linksOf(readFileSync(join(root, file), 'utf8'))
        .filter((link) => !ELSEWHERE.test(link))
        .map((link) => join(dirname(file), link.split('#', 1)[0]!)),
    ),
  );
}

function resolves(root: string, file: string, link: string): boolean {
  const [path = '', heading] = link.split('#', 2);
  const target = path === '' ? join(root, file) : join(root, dirname(file), decodeURIComponent(path));
  if (!existsSync(target) || relative(root, target).startsWith('..')) return false;
  if (heading === undefined) return true;
  return statSync(target).isFile() && headingsOf(readFileSync(target, 'utf8')).has(heading);
}

function linksOf(markdown: string): string[] {
  return prose(markdown).flatMap((line) => {
    const reference = REFERENCE.exec(line)?.[1];
    const inline = [...line.replaceAll(INLINE_CODE, '').matchAll(LINK)].map(([, address = '']) => address);
    return reference === undefined ? inline : [reference, ...inline];
  });
}

/** As GitHub names them: lower case, letters, digits, `_` and `-`, spaces as `-`; a repeated one is counted. */
function headingsOf(markdown: string): Set<string> {
  const names = new Set<string>();
  for (const line of prose(markdown)) {
    const text = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1];
    if (text === undefined) continue;
    const words = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const name = words.replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    let unique = name;
    for (let count = 1; names.has(unique); count++) unique = `${name}-${count}`;
    names.add(unique);
  }
  return names;
}

/** The lines outside fenced code. */
function prose(markdown: string): string[] {
  let fence: string | null = null;
  return markdown.split('\n').filter((line) => {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence) === true) fence = null;
      return false;
    }
    fence = mark ?? null;
    return mark === undefined;
  });
}
