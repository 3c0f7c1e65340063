// Fails when the first load (index.html and every script and style that it names, with what those
// scripts import statically) is larger than the limit when compressed.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 300;
const dist = fileURLToPath(new URL('../dist', import.meta.url));

const seen = new Map();

function add(path) {
  const file = join(dist, path);
  if (seen.has(path) || !existsSync(file)) {
    return;
  }
  const content = readFileSync(file);
  seen.set(path, gzipSync(content, { level: 9 }).length);
  if (path.endsWith('.js')) {
    // Static imports alone: `from"./x.js"` and `import"./x.js"`, not `import("./x.js")`.
    for (const [, name] of content.toString().matchAll(/(?:from|import)\s*["'](\.\/[^"']+)["']/g)) {
      add(join(dirname(path), name));
    }
  }
}

add('index.html');
for (const [, path] of readFileSync(join(dist, 'index.html'), 'utf8').matchAll(
  /(?:src|href)="\/([^"]+)"/g,
)) {
  add(path);
}

let total = 0;
for (const [path, size] of [...seen].sort((a, b) => b[1] - a[1])) {
  process.stdout.write(`${(size / 1000).toFixed(1).padStart(8)} kB  ${path}\n`);
  total += size;
}
process.stdout.write(
  `${(total / 1000).toFixed(1).padStart(8)} kB  first load (limit ${LIMIT_KB} kB)\n`,
);
if (total > LIMIT_KB * 1000) {
  process.stderr.write('the first load is too large\n');
  process.exit(1);
}
