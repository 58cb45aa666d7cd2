// suite: needs=shared
// Every cell of the tables in fhir/growth/ against the files they came from, and what else those files allow to check.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { read, shared } from './csv.mjs';
import { rootDir } from '../lib/process.mjs';
import { finish, skip, test } from '../lib/tap.mjs';
import { tables } from '../tools/growth-tables.mjs';

const folder = path.join(shared, 'growth');
if (!fs.existsSync(folder)) {
  skip('growth tables', 'no ../shared');
  await finish();
}
const csv = (file) => read(path.join(folder, file));

// -> { male: [[at, L, M, S] as text …], female: … }
function included(name) {
  const text = fs.readFileSync(path.join(rootDir, `fhir/growth/table_${name}.inc`), 'utf8');
  const rows = {};
  for (const [, sex, body] of text.matchAll(/_(male|female)\[\] = \{\n([^;]*)\};/g)) {
    rows[sex] = [...body.matchAll(/\{([^}]*)\}/g)].map(([, cells]) => cells.split(', '));
  }
  return rows;
}
const position = (row) => row.age_months ?? row.age_days ?? row.length_cm ?? row.height_cm;
const wanted = (file) => {
  const rows = { male: [], female: [] };
  for (const row of csv(file)) rows[row.sex].push([position(row), row.L, row.M, row.S]);
  return rows;
};
function at(rows, x) {
  const i = Math.max(1, rows.findIndex(([p]) => Number(p) >= x));
  const [a, b] = [rows[i - 1].map(Number), rows[i].map(Number)];
  return a.slice(1).map((v, k) => v + ((x - a[0]) / (b[0] - a[0])) * (b[k + 1] - v));
}

for (const { csv: file, name } of tables) {
  test(`${name}: every cell, as text, is that of ${file}`, () => assert.deepEqual(included(name), wanted(file)));
}
test('every table that is compiled in was compared', () => {
  const compiled = fs.readdirSync(path.join(rootDir, 'fhir/growth')).filter((file) => /^table_(cdc|who)/.test(file));
  assert.deepEqual(compiled.sort(), tables.map(({ name }) => `table_${name}.inc`).sort());
});
for (const [file, name] of [['cdcsas_bmi_for_age_23_240m.csv', 'cdc2000_bmi_for_age'], ['cdcsas_stature_for_age_23_240m.csv', 'cdc2000_stature_for_age']]) {
  test(`${file}: CDC's SAS program has the published rows`, () => {
    const [theirs, ours] = [wanted(file), included(name)];
    for (const sex of ['male', 'female']) {
      for (const row of theirs[sex].filter(([p]) => Number(p) >= 24.5 && Number(p) < 240)) assert.deepEqual(ours[sex].find(([p]) => p === row[0])?.map(Number), row.map(Number));
      const half = at(theirs[sex], 24); // it has no row at 24.0 and comes to the published one between 23.5 and 24.5
      for (const [k, v] of half.entries()) assert.ok(Math.abs(v - Number(ours[sex][0][k + 1])) < 1e-8);
    }
  });
}
for (const [file, name] of [['who2006_weight_for_age_monthly_0_24m.csv', 'who2006_weight_for_age'], ['who2006_length_for_age_monthly_0_24m.csv', 'who2006_length_for_age'], ['who2006_head_circumference_for_age_monthly_0_24m.csv', 'who2006_head_for_age']]) {
  test(`${file}: the monthly rows are those of the day, but for WHO's rounding of the month`, () => {
    const [theirs, ours] = [wanted(file), included(name)];
    for (const sex of ['male', 'female']) {
      for (const [month, , m] of theirs[sex]) {
        // Length becomes height on day 731; the monthly row of 24 months is still length.
        const day = name === 'who2006_length_for_age' && month === '24' ? 730 : Number(month) * 30.4375;
        const [low, high] = [ours[sex][Math.floor(day)], ours[sex][Math.ceil(day)]].map((row) => Number(row[2]));
        assert.ok(Number(m) >= low - 1e-4 && Number(m) <= high + (low === high ? 0.02 : 1e-4), `${sex} ${month}: ${m} not between ${low} and ${high}`);
      }
    }
  });
}

// ---- CDC extended BMI, December 2022 ----
const extended = csv('cdc2022_extended_bmi_for_age_24_240m.csv');
const sigma = (sex, months) => {
  const years = months / 12;
  return sex === 'male' ? 0.3728 + 0.5196 * years - 0.0091 * years ** 2 : 0.8334 + 0.3712 * years - 0.0011 * years ** 2;
};
test('extended BMI: L, M and S are those of CDC 2000', () => {
  const ours = included('cdc2000_bmi_for_age');
  for (const sex of ['male', 'female']) assert.deepEqual(extended.filter((row) => row.sex === sex).map((row) => [row.age_months, row.L, row.M, row.S].map(Number)), ours[sex].map((row) => row.map(Number)));
});
test('extended BMI: the sigma column is the published polynomial', () => {
  for (const row of extended) assert.ok(Math.abs(sigma(row.sex, Number(row.age_months)) - Number(row.sigma)) <= 5e-7, JSON.stringify(row));
});
const z = { P3: -1.880793608151251, P5: -1.6448536269514722, P10: -1.2815515655446004, P25: -0.6744897501960817, P50: 0, P75: 0.6744897501960817, P85: 1.0364333894937898, P90: 1.2815515655446004, P95: 1.6448536269514722 };
const tail = { P98: 0.8416212335729143, P99: 1.2815515655446004, P99_9: 2.3263478740408408, P99_99: 3.090232306167813 };
test('extended BMI: every percentile column, to its rounding', () => {
  for (const row of extended) {
    const [l, m, s] = [row.L, row.M, row.S].map(Number);
    const lms = (score) => m * (1 + l * s * score) ** (1 / l);
    for (const [name, score] of Object.entries(z)) assert.ok(Math.abs(lms(score) - Number(row[name])) <= 5.1e-5, `${name} ${JSON.stringify(row)}`);
    for (const [name, score] of Object.entries(tail)) assert.ok(Math.abs(lms(z.P95) + score * sigma(row.sex, Number(row.age_months)) - Number(row[name])) <= 6e-5, `${name} ${JSON.stringify(row)}`);
    assert.ok(Math.abs(1.2 * lms(z.P95) - Number(row.pct120ofP95)) <= 1e-6);
  }
});
await finish();
