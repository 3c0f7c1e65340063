// Completes package-lock.json after `npm install`.
//
// npm leaves an optional package of another platform out of the lock when the registry at hand does
// not serve it, and `npm ci` then refuses the whole lock. Such a package is never installed on this
// platform, so its name, version and platform are all that the lock needs.

import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const before = JSON.stringify(lock);
for (const entry of Object.values({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] || !/^\d/.test(version)) continue;
    const words = name.split(/[/-]/);
    const os = SYSTEMS.filter((system) => words.includes(system));
    const cpu = PROCESSORS.filter((processor) => words.includes(processor));
    const musl = words.includes('musl') ? { libc: ['musl'] } : {};
    if (os.length === 0 || cpu.length === 0) continue;
    lock.packages[place] = { version, cpu, dev: entry.dev, ...musl, optional: true, os };
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
if (JSON.stringify(lock) !== before) {
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
