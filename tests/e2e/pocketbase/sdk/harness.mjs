// The same tests against both servers.

import { after, before, describe } from "node:test";

import { startMito, startPocketBase } from "../oracle.mjs";

/**
 * Runs `tests(server)` against PocketBase, the oracle, and against mito. The server is started
 * before the tests and stopped after them; its fields are there when the tests run.
 */
export function forEachServer(area, tests) {
  for (const [name, start] of [["pocketbase", startPocketBase], ["mito", startMito]]) {
    if (process.env.SERVER && process.env.SERVER !== name) continue;
    describe(`${area}: ${name}`, () => {
      const server = { name };
      before(async () => Object.assign(server, await start()));
      after(() => server.stop?.());
      tests(server);
    });
  }
}
