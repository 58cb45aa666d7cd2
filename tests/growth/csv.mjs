// CSV of the growth suites: plain rows without quotes, and what `eplan growth` makes of them.
import fs from 'node:fs';
import path from 'node:path';
import { rootDir, run } from '../lib/process.mjs';

export const binary = process.env.EPLAN_BINARY ?? path.join(rootDir, 'build/release/eplan');
export const shared = process.env.EPLAN_SHARED ?? path.join(rootDir, '../shared');

export function parse(text) {
  const [head, ...lines] = text.trimEnd().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}

export const read = (file) => parse(fs.readFileSync(file, 'utf8'));

export function format(rows, names = Object.keys(rows[0])) {
  return [names.join(','), ...rows.map((row) => names.map((name) => row[name] ?? '').join(','))].join('\n') + '\n';
}

// Assesses rows: as many rows out as in, in order.
export async function assess(rows, ...options) {
  const { code, stdout, stderr } = await run(binary, ['growth', ...options], { input: format(rows) });
  if (code !== 0) throw new Error(`eplan growth ended with ${code}: ${stderr}`);
  const out = parse(stdout);
  if (out.length !== rows.length) throw new Error(`${rows.length} rows in, ${out.length} rows out`);
  return out;
}
