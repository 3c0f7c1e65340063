// The hash that ties `dist` to its sources. A test of the Rust workspace computes the same.
//
// Over all files of `src`, `public` (recursively) and of SINGLE below that exist, sorted by the
// bytes of their path relative to `web` (with `/`), sha256 of the concatenation of
//   path + "\n" + lower-case hex sha256 of the content + "\n"
// written as lower-case hex and "\n" into `dist/source.sha256`.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDERS = ['src', 'public'];
const SINGLE = ['index.html', 'package.json', 'package-lock.json', 'vite.config.ts'];
const TSCONFIG = /^tsconfig.*\.json$/;

const web = fileURLToPath(new URL('..', import.meta.url));
const target = join(web, 'dist', 'source.sha256');

function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

function sources() {
  const files = [...SINGLE, ...readdirSync(web).filter((name) => TSCONFIG.test(name))];
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(web, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name).slice(web.length);
        files.push(path.replaceAll('\\', '/'));
      }
    }
  }
  return files
    .filter((file) => existsSync(join(web, file)))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

const lines = sources().map((file) => `${file}\n${sha256(readFileSync(join(web, file)))}\n`);
const hash = `${sha256(lines.join(''))}\n`;

const mode = process.argv[2];
if (mode === '--write') {
  writeFileSync(target, hash);
} else if (mode === '--check') {
  const committed = existsSync(target) ? readFileSync(target, 'utf8') : '';
  if (committed !== hash) {
    process.stderr.write('dist is older than its sources: run `npm run build` and commit dist\n');
    process.exit(1);
  }
} else {
  process.stdout.write(hash);
}
