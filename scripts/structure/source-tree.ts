/** The product's sources as they import and export: read as text, which the formatter keeps in one shape. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

/** Top-level folders of the product, those that import nothing first. */
export const FOLDERS = [
  'contract',
  'ops',
  'store',
  'workflows',
  'media',
  'activities',
  'media-node',
  'api',
  'scripts',
] as const;

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** What stands at the beginning of a line: nothing within a function or a comment does. */
const EXPORTED =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const enum|const|let|interface|type|enum) ([\w$]+)/gm;
const EXPORT = /^export .*/gm;
/** Under its own name: a new one would be a new thing. */
const RE_EXPORT = /^export (?:type )?(?:\*|\{(?:(?! as )[^}])*\}) from '[^']+';/;
const IMPORTED = /(?:^(?:import|export) (?:[^;']*? from )?|\bimport\()'(\.[^']*)'/gm;

export function readSources(root: string, folders: readonly string[] = FOLDERS): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(folder, name))
      .map((path) => ({ path: path.split(sep).join('/'), text: readFileSync(join(root, path), 'utf8') })),
  );
}

/**
 * Exported names that stand for more than one thing, each with its files. A file that passes another's on adds nothing.
 *
 * @throws Error for an export in a form that is not read here, so that none is overlooked
 */
export function ambiguousNames(files: readonly SourceFile[]): Map<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const file of files) {
    for (const name of exportedNames(file)) places.set(name, [...(places.get(name) ?? []), file.path]);
  }
  return new Map([...places].filter(([, paths]) => paths.length > 1));
}

/** Every import of one file of the tree by another, types included; `to` has no extension. */
export function imports(files: readonly SourceFile[]): { readonly from: string; readonly to: string }[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(IMPORTED)].map((match) => {
      const to = normalize(join(dirname(path), match[1] ?? ''));
      return { from: path, to: to.split(sep).join('/') };
    }),
  );
}

export function topFolder(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

function exportedNames({ path, text }: SourceFile): Set<string> {
  const names = [...text.matchAll(EXPORTED)].map((match) => match[1] ?? '');
  const all = [...text.matchAll(EXPORT)];
  const passedOn = all.filter(({ index }) => RE_EXPORT.test(text.slice(index)));
  if (all.length !== names.length + passedOn.length) throw new Error(`${path}: an export whose name cannot be read`);
  return new Set(names);
}
