// Running eplan on mappings, for the suites of this folder.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const rootDir = path.join(here, '../..');
export const binary = path.resolve(process.env.EPLAN_BINARY ?? path.join(rootDir, 'build/release/eplan'));
export const mappings = () => fs.readdirSync(path.join(rootDir, 'mappings'), { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => path.join('mappings', one.name));

// -> { status, stdout, stderr }
export function eplan(args, cwd = rootDir) {
  const { status, stdout, stderr, error } = spawnSync(binary, args, { cwd, encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 });
  if (error) throw error;
  assert.notEqual(status, null, `${args.join(' ')} was killed: ${stderr}`);
  return { status, stdout, stderr };
}

// The names of all cases and neighbours that pass.
export function caseNames(folder) {
  const { status, stdout, stderr } = eplan(['test', folder]);
  assert.equal(status, 0, stdout + stderr);
  return [...stdout.matchAll(/^ok {5}(\S+)$/gm)].map(([, name]) => name);
}
