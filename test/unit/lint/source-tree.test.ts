import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIO_CODECS } from '../../../contract/audio-codecs';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { ambiguousNames, FOLDERS, imports, readSources, topFolder } from '../../../scripts/structure/source-tree';
import type { SourceFile } from '../../../scripts/structure/source-tree';

const FIXTURES = join(__dirname, '../../fixtures/source-tree');
const NAMES_THAT_SAY_NOTHING = /(?:^|\/)(?:types|utils?|helpers?|common|misc)\.ts$/;

/** Ours, those of other implementations, and what people call them. */
const CODEC_NAME = /pcm[ua](?![a-z])|g\.?7(?:11|22|23|26|29)|[uaµ]-?law|\bopus\b|\bl16\b|\bilbc\b|\bspeex\b/i;

const withoutComments = (text: string): string => text.replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/gm, '');

const isSource = (name: string): boolean => /\.(?:ts|mjs)$/.test(name);

const unnamed = (files: readonly SourceFile[]): string[] =>
  files.map(({ path }) => path).filter((path) => NAMES_THAT_SAY_NOTHING.test(path));

describe('the names of the tree', () => {
  const files = readSources(PROJECT_ROOT);

  test('every folder of the product is read', () => {
    const folders = readdirSync(PROJECT_ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .filter((name) => !['bench', 'dist', 'node_modules', 'test'].includes(name) && !name.startsWith('dist.'))
      .filter((name) => readdirSync(join(PROJECT_ROOT, name), { recursive: true, encoding: 'utf8' }).some(isSource));
    expect(folders.sort()).toEqual([...FOLDERS].sort());
  });

  test('one exported name stands for one thing', () => {
    expect(files.length).toBeGreaterThan(200);
    expect([...ambiguousNames(files)]).toEqual([]);
  });

  test('no file is called after nothing', () => {
    expect(unnamed(files)).toEqual([]);
  });
});

describe('the audio of the tree', () => {
  // docs/architecture.md, "Who hears whom". Why a setting was chosen a comment may tell.
  const files = readSources(PROJECT_ROOT).map(({ path, text }) => ({ path, text: withoutComments(text) }));
  const found = (pattern: RegExp, allowed: RegExp): string[] =>
    files.filter(({ path, text }) => !allowed.test(path) && pattern.test(text)).map(({ path }) => path);

  test('a codec is named in the list of them, and by who speaks it', () => {
    const home = /^contract\/audio-codecs\.ts$|^media\/(?:codec|sdp)\//;
    expect(AUDIO_CODECS.filter((name) => !CODEC_NAME.test(name))).toEqual([]);
    expect(files.filter(({ path, text }) => home.test(path) && CODEC_NAME.test(text)).length).toBeGreaterThan(3);
    expect(found(CODEC_NAME, home)).toEqual([]);
  });

  test.each(["'PCMA'", 'G711Codec', "'G.722/8000'", '`Allow ulaw`', 'a-law', 'OPUS', 'g729'])(
    '%s names a codec',
    (text) => {
      expect(CODEC_NAME.test(withoutComments(text))).toBe(true);
    },
  );

  test('the rate of the graph is written once, and no frame is counted in samples', () => {
    const elsewhere = /^(?!media\/)|^media\/(?:codec|sdp)\/|^media\/audio\/frame\.ts$/;
    expect(found(/\b(?:8000|160|320)\b/, elsewhere)).toEqual([]);
  });
});

describe('the reader of the tree', () => {
  const files = readSources(FIXTURES, ['one', 'two']);
  const file = (text: string, path = 'a/b.ts'): SourceFile => ({ path, text });
  const namesIn = (text: string): string[] => [...ambiguousNames([file(text), file(text, 'copy.ts')]).keys()];

  test('finds the name that stands twice, in whatever form, and nothing that is passed on', () => {
    expect(Object.fromEntries(ambiguousNames(files))).toEqual({
      Shape: ['one/shapes.ts', 'two/shapes.ts'],
      measure: ['one/shapes.ts', 'two/measure.ts'],
    });
    expect(unnamed(files)).toEqual(['two/types.ts']);
  });

  test('reads every form of an export', () => {
    const text = [
      'export const a = 1;',
      'export let b = 2;',
      'export function c(): void {}',
      'export async function d(): Promise<void> {}',
      'export function* e(): Generator {}',
      'export class F {}',
      'export abstract class G {}',
      'export interface H {}',
      'export type I = string;',
      'export enum J {}',
      'export default class K {}',
      "export { L, type M } from './l';",
      "export * from './n';",
      "export type { O } from './o';",
      ' export const inner = 1;',
      '// export const comment = 1;',
    ].join('\n');
    expect(namesIn(text)).toEqual(['a', 'b', 'c', 'd', 'e', 'F', 'G', 'H', 'I', 'J', 'K']);
  });

  test('an overloaded function is one name', () => {
    expect(namesIn('export function a(x: 1): 1;\nexport function a(x: 2): 2;\n')).toEqual(['a']);
  });

  test.each(['export { a };', 'export const { b, c } = d;', 'export = e;', "export { f as g } from './f';"])(
    'does not overlook %s',
    (text) => {
      expect(() => namesIn(text)).toThrow('cannot be read');
    },
  );

  test('reads imports of values, of types, of side effects, those that pass on, and those of a type in place', () => {
    const text = [
      "import { a } from '../one/a';",
      "import type { B } from './b';",
      "import './c';",
      "import {\n  d,\n  e,\n} from '../two/d';",
      "export { f } from '../f';",
      "const g = await import('./g');",
      "let h: import('../one/h').H;",
      "import pino from 'pino';",
    ].join('\n');
    const paths = ['one/a', 'a/b', 'a/c', 'two/d', 'f', 'a/g', 'one/h'];
    expect(
      imports([file(text)])
        .map(({ to }) => to)
        .sort(),
    ).toEqual(paths.sort());
  });
});

describe('the order of the folders', () => {
  // docs/architecture.md, "Imports go one way". Types count as values do.
  const ALLOWED: Readonly<Record<string, readonly string[]>> = {
    contract: [],
    ops: [],
    store: ['contract'],
    workflows: ['contract'],
    media: ['contract', 'ops'],
    activities: ['contract', 'ops', 'store', 'workflows'],
    api: ['contract', 'ops', 'store', 'workflows'],
    'media-node': ['activities', 'contract', 'media', 'ops', 'store', 'workflows'],
    // The supervisor's main reads the configurations of the processes before it starts them.
    scripts: ['activities', 'api', 'contract', 'media-node', 'ops', 'store', 'workflows'],
  };
  const files = readSources(PROJECT_ROOT);

  test('each folder imports what it may, and nobody imports it back', () => {
    const drawn: Record<string, string[]> = Object.fromEntries(Object.keys(ALLOWED).map((folder) => [folder, []]));
    for (const { from, to } of imports(files)) {
      const targets = (drawn[topFolder(from)] ??= []);
      if (topFolder(to) !== topFolder(from) && !targets.includes(topFolder(to))) targets.push(topFolder(to));
    }
    for (const targets of Object.values(drawn)) targets.sort();
    expect(drawn).toEqual(ALLOWED);
    const open = new Set(Object.keys(ALLOWED));
    // What imports nothing that is left goes first: a circle would leave some.
    for (let before = -1; open.size !== before;) {
      before = open.size;
      for (const folder of open) if (!ALLOWED[folder]?.some((to) => open.has(to))) open.delete(folder);
    }
    expect([...open]).toEqual([]);
  });

  test('activities reach a media node through its main alone, and the media service is known by its entry', () => {
    const importers = (folder: string, target: RegExp): string[] => [
      ...new Set(
        imports(files)
          .filter(({ from, to }) => topFolder(from) === folder && target.test(to))
          .map(({ from }) => from),
      ),
    ];
    expect(importers('media-node', /^activities\//)).toEqual(['media-node/main.ts']);
    expect(importers('media-node', /^media\//)).toEqual([]);
  });
});
