/** `npm run structure`: the top-level folders and the imports between them, drawn from the code. */
import { PROJECT_ROOT } from '../project-root';
import { ambiguousNames, FOLDERS, imports, readSources, topFolder } from './source-tree';

const files = readSources(PROJECT_ROOT);
const all = imports(files);
for (const folder of FOLDERS) {
  const own = files.filter(({ path }) => topFolder(path) === folder);
  const lines = own.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  const targets = FOLDERS.map((target) => {
    const count = all.filter(({ from, to }) => topFolder(from) === folder && topFolder(to) === target).length;
    return target === folder || count === 0 ? '' : `${target} ${count}`;
  }).filter((target) => target !== '');
  const size = `${String(own.length).padStart(4)} files${String(lines).padStart(7)} lines`;
  console.log(`${folder.padEnd(11)}${size}   → ${targets.join(', ') || 'nothing'}`);
}
for (const [name, paths] of ambiguousNames(files)) console.log(`${name} stands twice: ${paths.join(', ')}`);
