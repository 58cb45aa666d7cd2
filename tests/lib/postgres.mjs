// A private PostgreSQL 15: initdb in a folder of the test, reached by a UNIX socket, fsync on.
//   const postgres = await startPostgres(scratch('nodes'));   -> { url, query(sql), stop(signal), start() }
// Where there is none, or initdb refuses (root): { missing: 'why' }.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, until } from './process.mjs';
import { atEnd } from './tap.mjs';

const bin = '/usr/lib/postgresql/15/bin';
const socketMost = 90; // a socket's path must fit into 107 bytes

export async function startPostgres(folder) {
  if (!fs.existsSync(`${bin}/initdb`)) return { missing: 'PostgreSQL 15 is not installed (apt-get install postgresql-15)' };
  if (process.getuid() === 0) return { missing: 'initdb refuses root; ./tests/run runs suites as another user' };
  const data = path.join(folder, 'pg');
  const made = await run(`${bin}/initdb`, ['-D', data, '-U', 'eplan', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']);
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
  let sockets = folder;
  if (sockets.length > socketMost) {
    sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'eplan-pg-'));
    atEnd(() => fs.rmSync(sockets, { recursive: true, force: true }));
  }
  const url = `postgresql:///postgres?host=${sockets}&user=eplan`;
  let server;
  let ended = Promise.resolve();
  const query = async (sql) => {
    const { code, stdout, stderr } = await run(`${bin}/psql`, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql, url]);
    if (code !== 0) throw new Error(`psql: ${stderr}`);
    return stdout.trim();
  };
  const start = async () => {
    const log = fs.openSync(path.join(folder, 'pg.log'), 'a');
    server = spawn(`${bin}/postgres`, ['-D', data, '-k', sockets, '-h', '', '-c', 'fsync=on', '-c', 'shared_buffers=32MB', '-c', 'max_connections=50'], { stdio: ['ignore', log, log] });
    fs.closeSync(log);
    ended = new Promise((resolve) => { server.on('exit', resolve); });
    await until('PostgreSQL to answer', () => query('SELECT 1'), 30_000);
  };
  const stop = async (signal = 'SIGINT') => { server.kill(signal); await ended; };
  await start();
  atEnd(() => stop('SIGQUIT'));
  return { url, query, start, stop };
}
