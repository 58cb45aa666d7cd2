// Writes the growth reference tables of fhir/growth/ from the tidy CSV files (sex, position, L, M, S).
//   node tests/tools/make-growth-tables.mjs CSV-FOLDER fhir/growth
// The numbers are copied as text: nothing is rounded or computed. tests/growth/suite-tables.mjs compares them again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tables } from './growth-tables.mjs';

const [, , from, to] = process.argv;
if (!from || !to) {
  console.error('usage: make-growth-tables.mjs CSV-FOLDER OUTPUT-FOLDER');
  process.exit(64);
}
for (const { csv, name, source } of tables) {
  const lines = readFileSync(join(from, csv), 'utf8').trim().split('\n').slice(1);
  const rows = { male: [], female: [] };
  for (const line of lines) {
    const [sex, at, l, m, s] = line.split(',');
    rows[sex].push(`    {${at}, ${l}, ${m}, ${s}},`);
  }
  const out = [`/* ${source}`, ` * Made by: node tests/tools/make-growth-tables.mjs CSV-FOLDER fhir/growth (from ${csv}). Not edited by hand. */`];
  for (const sex of ['male', 'female']) {
    out.push(`static const struct lms_row ${name}_${sex}[] = {`, ...rows[sex], '};');
  }
  writeFileSync(join(to, `table_${name}.inc`), out.join('\n') + '\n');
  console.log(`table_${name}.inc: ${rows.male.length} + ${rows.female.length} rows`);
}
