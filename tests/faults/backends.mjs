// The stores that the fault driver and the soak run on. Each gives the settings of gateway.yaml that choose it, on a fresh
// store, and how it ends.
import { scratch } from '../lib/process.mjs';
import { startPostgres } from '../lib/postgres.mjs';

const sqlite = { name: 'sqlite', open: async () => ({ settings: {}, close: async () => {} }) };

let server; // one PostgreSQL for all runs; a database for each
let databases = 0;

const postgres = {
  name: 'postgres',
  open: async () => {
    const database = `run${databases += 1}`;
    await server.query(`CREATE DATABASE ${database}`);
    return {
      settings: { store: server.url.replace('/postgres?', `/${database}?`) },
      // A gateway that was killed may have a backend that has not noticed yet.
      close: () => server.query(`DROP DATABASE ${database} WITH (FORCE)`),
    };
  },
  // Why it cannot be used; undefined: it can.
  missing: async () => {
    server ??= await startPostgres(scratch('pg'));
    return server.missing;
  },
};

// All that can be used here, or the one named; of the others it says why not.
export async function backends(name) {
  const found = [];
  for (const one of [sqlite, postgres]) {
    if (name && name !== one.name) continue;
    const why = await one.missing?.();
    if (why) process.stdout.write(`SKIP ${one.name}: ${why}\n`);
    else found.push(one);
  }
  return found;
}
