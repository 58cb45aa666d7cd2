// The stores that the fault driver and the soak run on. Each gives the settings of gateway.yaml that choose it, on a fresh
// store, and how it ends.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { binary, writeConfig } from '../lib/daemon.mjs';
import { run, scratch, until } from '../lib/process.mjs';
import { atEnd } from '../lib/tap.mjs';

const sqlite = { name: 'sqlite', open: async () => ({ settings: {}, close: async () => {} }) };

let server; // one PostgreSQL for all runs; a database for each
let databases = 0;

const programs = () => ['/usr/lib/postgresql/15/bin', '/usr/local/bin', '/usr/bin'].find((folder) => fs.existsSync(path.join(folder, 'initdb')));

// A private server, reached by a UNIX socket in the test's own folder.
async function startPostgres() {
  const folder = scratch('pg'); // short: a socket's path has 107 characters
  const bin = programs();
  const data = path.join(folder, 'data');
  const made = await run(path.join(bin, 'initdb'), ['-D', data, '-U', 'eplan', '-A', 'trust', '-E', 'UTF8', '--no-locale']);
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
  const log = fs.openSync(path.join(folder, 'log'), 'a');
  const child = spawn(path.join(bin, 'postgres'), ['-D', data, '-k', folder, '-c', 'listen_addresses='], { stdio: ['ignore', log, log] });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  atEnd(() => { child.kill('SIGQUIT'); return ended; });
  const sql = (text, database = 'postgres') => run(path.join(bin, 'psql'), ['-h', folder, '-U', 'eplan', '-d', database, '-qAtc', text]);
  await until('PostgreSQL to answer', async () => (await sql('SELECT 1')).code === 0);
  return { folder, sql };
}

const postgres = {
  name: 'postgres',
  open: async () => {
    server ??= await startPostgres();
    const database = `run${databases += 1}`;
    const { code, stderr } = await server.sql(`CREATE DATABASE ${database}`);
    if (code !== 0) throw new Error(`CREATE DATABASE: ${stderr}`);
    return {
      settings: { store: `postgres:///${database}?host=${server.folder}&user=eplan` },
      close: async () => { await server.sql(`DROP DATABASE ${database}`); },
    };
  },
  // Why it cannot be used; undefined: it can.
  missing: async () => {
    if (!programs()) return 'no PostgreSQL 15 on this machine';
    const config = await writeConfig(scratch('probe'), { ehrs: [{ base: 'https://127.0.0.1:9/fhir' }], gateway: { store: 'postgres:///eplan?host=/nowhere' } });
    const { code, stdout, stderr } = await run(binary, ['check-config', '-c', config]);
    return code === 0 ? undefined : `the setting store is not accepted: ${`${stdout}${stderr}`.trim().split('\n')[0].replace(/^.*: error: /, '')}`;
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
