#!/usr/bin/env node
// Stores of earlier schemas for tests/unit/gateway/store/test_open.c: each is the one before it, the statements of the next
// upgrade as gateway/store/store_sql_schema.c has them, and rows that only the new schema can hold. schema_1.sql is what the
// first program wrote. `--check`: writes nothing, and fails where a file is not what this makes (an upgrade was edited).
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const data = path.join(root, 'tests/data/store');
const source = fs.readFileSync(path.join(root, 'gateway/store/store_sql_schema.c'), 'utf8').replace(/\/\*[^]*?\*\//g, '');

// Made-up children only. All from the schema of that number on.
const rows = {
  2: [
    "UPDATE item SET version = '1.0.0', visit = 'Encounter/e1'",
    "INSERT INTO declined VALUES('north', 'p4', 'healthy-weight', 1790000000000000, 'Practitioner/7', 1760000040000000)",
  ],
  3: ["INSERT INTO hold VALUES('north', 'p5', 'nurse', 'the family asked', 1760000040000000)"],
};

function statements(name) {
  const [, body] = source.match(new RegExp(`\\*const ${name}\\[\\] = \\{([^]*?)NULL\\};`));
  const all = [''];
  for (const [token, text] of body.matchAll(/"((?:[^"\\]|\\.)*)"|,/g)) {
    if (token === ',') all.push('');
    else all[all.length - 1] += JSON.parse(`"${text}"`);
  }
  return all.filter(Boolean);
}

const [, list] = source.match(/sql_upgrades\[\] = \{([^]*?)\};/);
const upgrades = [...list.matchAll(/\{(\d+), (\w+)\}/g)].map(([, version, name]) => ({ version: Number(version), name }));
let body = fs.readFileSync(path.join(data, 'schema_1.sql'), 'utf8').replace(/^--.*\n/gm, '');
let wrong = 0;
for (const { version, name } of upgrades.slice(1, -1)) {
  const lines = [...statements(name), ...(rows[version] ?? [])].map((one) => `${one};\n`).join('');
  body += `BEGIN TRANSACTION;\n${lines}PRAGMA user_version = ${version};\nCOMMIT;\n`;
  const text = `-- A store of schema ${version} with rows queued, of unknown outcome and held. Made by tests/tools/make-store-fixtures.mjs.\n${body}`;
  const file = path.join(data, `schema_${version}.sql`);
  if (!process.argv.includes('--check')) fs.writeFileSync(file, text);
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    wrong++;
    console.error(`${path.relative(root, file)}: is not what the upgrades make: was a released upgrade edited?`);
  }
}
process.exit(wrong ? 1 : 0);
