// The same tests against both servers.

import { after, before, describe } from "node:test";

import { startMito, startMitoOnPostgres, startPocketBase } from "../oracle.mjs";

/** What also runs with the records on PostgreSQL. */
const ON_POSTGRES = ["crud", "filters", "batch", "files", "realtime", "accounts", "collections"];

/**
 * Runs `tests(server)` against PocketBase, the oracle, and against mito. The server is started
 * before the tests and stopped after them; its fields are there when the tests run.
 */
export function forEachServer(area, tests) {
  const servers = [["pocketbase", startPocketBase], ["mito", startMito]];
  if (process.env.MITO_TEST_POSTGRES && ON_POSTGRES.includes(area)) servers.push(["postgres", startMitoOnPostgres]);
  for (const [name, start] of servers) {
    if (process.env.SERVER && process.env.SERVER !== name) continue;
    describe(`${area}: ${name}`, () => {
      const server = { name };
      before(async () => Object.assign(server, await start()));
      after(() => server.stop?.());
      tests(server);
    });
  }
}
