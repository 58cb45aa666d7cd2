// suite: timeout=300 needs=build,shared
// Every value of the oracle against `eplan growth --all`: CDC's SAS program, CDC's R package, WHO's R package, derived
// categories, calendar cases. Prints the largest difference of each column.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { assess, read, shared } from './csv.mjs';
import { finish, skip, test } from '../lib/tap.mjs';

const folder = path.join(shared, 'growth/oracle');
if (!fs.existsSync(folder)) {
  skip('growth oracle', 'no ../shared');
  await finish();
}
const oracle = (name) => read(path.join(folder, name));
const say = (line) => process.stdout.write(`# ${line}\n`);

// Above z 6 the peers lose digits to 1 - p; the extended tail ends at 8.21.
function extendedTolerance(z) {
  if (Math.abs(z) < 6) return 1e-6;
  return Math.abs(z) <= 7 ? 1e-4 : 0.05;
}
const within = (tolerance) => () => tolerance;

// columns: [their column, our column, tolerance(their value, row)]. A value that they give and we do not, or the other
// way round, is a difference.
function compare(title, file, columns, { input, keep = () => true, only }) {
  test(title, async () => {
    const rows = oracle(file).filter((row) => keep(row));
    assert.ok(rows.length > 0);
    const ours = await assess(rows.map(input), '--all');
    const faults = [];
    for (const [theirName, ourName, tolerance] of columns) {
      let [largest, at, count] = [0, '', 0];
      for (const [i, row] of rows.entries()) {
        if (only && !only(row, theirName)) continue;
        const [theirs, mine] = [row[theirName], ours[i][ourName]];
        if ((theirs === '') !== (mine === '')) {
          faults.push(`${theirName} row ${row.id ?? i}: theirs "${theirs}", ours "${mine}"`);
        } else if (theirs !== '') {
          const difference = Math.abs(Number(theirs) - Number(mine));
          count += 1;
          if (difference > largest) [largest, at] = [difference, `z or value ${Number(theirs).toPrecision(4)}`];
          if (!(difference <= tolerance(Number(theirs), row))) faults.push(`${theirName} row ${row.id ?? i}: theirs ${theirs}, ours ${mine}`);
        }
      }
      say(`${file.replace('.csv', '').padEnd(24)} ${theirName.padEnd(18)} ${String(count).padStart(5)} values, largest difference ${largest.toExponential(2)} ${at && `at ${at}`}`);
      if (count === 0) faults.push(`${theirName}: no value was compared`);
    }
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} differences`);
  });
}

const gridInput = (row) => ({ sex: row.sex, age_days: row.age_days, age_months: row.age_days ? '' : row.age_months, weight_kg: row.weight_kg, height_cm: row.length_or_height_cm ?? row.height_cm, bmi: row.bmi });
const cdcColumns = (stature) => [
  ['cdc_bmi_z', 'bmi_z', extendedTolerance], ['cdc_bmi_pct', 'bmi_percentile', within(1e-5)],
  ['cdc_bmi_z_lms', 'bmi_z_lms', within(1e-8)], ['cdc_bmi_pct_lms', 'bmi_percentile_lms', within(1e-5)],
  ['cdc_bmi_p50', 'bmi_p50', within(1e-8)], ['cdc_bmi_p95', 'bmi_p95', within(1e-8)], ['cdc_bmip95', 'percent_of_p95', within(1e-8)],
  ['cdc_bmi_L', 'bmi_l', within(1e-9)], ['cdc_bmi_M', 'bmi_m', within(1e-9)], ['cdc_bmi_S', 'bmi_s', within(1e-9)],
  ['cdc_sigma', 'bmi_sigma', within(5e-9)], ['cdc_mod_bmi_z', 'bmi_modified_z', within(1e-8)],
  ['cdc_wfa_z', 'waz', within(1e-6)], ['cdc_wfa_pct', 'weight_percentile', within(1e-5)], ['cdc_mod_wfa_z', 'weight_modified_z', within(1e-6)],
  ['cdc_sfa_z', 'haz', within(stature)], ['cdc_sfa_pct', 'height_percentile', within(stature * 50)], ['cdc_mod_sfa_z', 'height_modified_z', within(stature)],
];
// Below 24 months our columns hold WHO's scores.
const isCdc = (row) => Number(row.age_months) >= 24;

compare('grid: CDC by its R package, 2 to 20 years', 'oracle_grid.csv', cdcColumns(1e-3), { input: gridInput, keep: isCdc });
compare('edges: CDC by its R package, ages at which rows and charts change', 'oracle_edges.csv', cdcColumns(1e-8), { input: gridInput, keep: isCdc });
test('edges: below 24 and from 240 months CDC gives nothing, and neither do we', async () => {
  const rows = oracle('oracle_edges.csv').filter((row) => row.cdc_bmi_z === '');
  const ours = await assess(rows.map(gridInput));
  for (const [i, row] of rows.entries()) assert.equal(ours[i].chart, Number(row.age_months) < 24 ? 'WHO' : 'none', JSON.stringify(row));
  assert.ok(rows.length > 10);
});

compare('grid: WHO by its R package, below 24 months', 'oracle_grid.csv',
  [['who_wfl_z', 'wfl_z', within(1e-6)], ['who_wfl_pct', 'wfl_percentile', within(1e-5)], ['who_wfa_z', 'waz', within(1e-6)], ['who_lfa_z', 'haz', within(1e-6)], ['who_bmi_z', 'bmi_z', within(1e-6)]],
  { input: gridInput, keep: (row) => !isCdc(row) });
test('grid: WHO rounded to two decimals is what its package prints', async () => {
  const rows = oracle('oracle_grid.csv').filter((row) => !isCdc(row));
  const ours = await assess(rows.map(gridInput));
  let count = 0;
  for (const [theirName, ourName] of [['who_wfl_z_2dp', 'wfl_z'], ['who_wfa_z_2dp', 'waz'], ['who_lfa_z_2dp', 'haz'], ['who_bmi_z_2dp', 'bmi_z']]) {
    for (const [i, row] of rows.entries()) {
      if (row[theirName] === '') continue;
      count += 1;
      const [theirs, mine] = [Number(row[theirName]), Number(ours[i][ourName])];
      const halfway = Math.abs(Math.abs(mine * 100) % 1 - 0.5) < 1e-6; // rounds either way
      const equal = halfway ? Math.abs(theirs - mine) < 0.0050001 : Number(mine.toFixed(2)) === theirs;
      assert.ok(equal, `${theirName} row ${row.id}: theirs ${theirs}, ours ${mine}`);
    }
  }
  assert.ok(count > 2000, `${count} values`);
  say(`oracle_grid              two decimals       ${count} values equal`);
});

// ---- CDC's SAS program itself ----
const sasInput = (row) => ({ sex: row.sex, age_months: row.agemos, weight_kg: row.weight_kg ?? row.weight, height_cm: row.height_cm ?? row.height, bmi: row.bmi, head_cm: row.headcir ?? '' });
const flagColumns = (row, out) => {
  const sign = (name) => (out.flags.includes(`${name}_implausible_low`) ? '-1' : out.flags.includes(`${name}_implausible_high`) ? '1' : '0');
  return [[row.biv_bmi ?? row._bivbmi, sign('bmi')], [row.biv_wt ?? row._bivwt, sign('weight')], [row.biv_ht ?? row._bivht, sign('height')]];
};
const has = (row, name) => row[name] !== '';
// CDC's text says 8.21 where the percentile is 100; the run kept the LMS z there (growth/oracle/README.md 3).
const cappedRow = (row, name) => name === 'bmiz' && Number(row.bmipct) === 100;
// At 36.0 months, the end of the published head chart, CDC's program reads between rows of its own.
const headTolerance = (theirs, row) => (row.agemos === '36' ? 1e-3 : 1e-8);
const sasColumns = (waz) => [
  ['bmiz', 'bmi_z', extendedTolerance], ['bmipct', 'bmi_percentile', within(1e-5)], ['mod_bmiz', 'bmi_modified_z', within(1e-7)],
  ['waz', 'waz', within(waz)], ['wapct', 'weight_percentile', within(waz * 50)], ['mod_waz', 'weight_modified_z', within(waz * 2)],
  ['haz', 'haz', within(1e-8)], ['hapct', 'height_percentile', within(1e-6)], ['mod_haz', 'height_modified_z', within(1e-8)],
];
compare('CDC SAS, stratified sample', 'oracle_cdc_sas_3000.csv', [...sasColumns(1e-8), ['original_bmiz', 'bmi_z_lms', within(1e-7)], ['original_bmipct', 'bmi_percentile_lms', within(1e-5)], ['bmi50', 'bmi_p50', within(1e-7)], ['bmi95', 'bmi_p95', within(1e-7)], ['bmip95', 'percent_of_p95', within(1e-6)]],
  { input: sasInput, only: (row, name) => !cappedRow(row, name) });
compare('CDC SAS, weight-for-stature', 'oracle_cdc_sas_3000.csv', [['whz', 'wfs_z', within(1e-7)], ['whpct', 'wfs_percentile', within(1e-5)], ['mod_whz', 'wfs_modified_z', within(1e-7)]],
  { input: sasInput, only: has });
compare('CDC SAS, 33 edge rows', 'oracle_cdc_sas_edge33.csv', [...sasColumns(4e-4), ['whz', 'wfs_z', within(1e-7)], ['headcz', 'head_z', headTolerance], ['mod_headcz', 'head_modified_z', headTolerance]],
  { input: sasInput, only: (row, name) => has(row, name) && !cappedRow(row, name) });
compare('WHO charts by CDC SAS, 33 edge rows', 'oracle_who_sas_edge33.csv', [['waz', 'waz', within(1e-5)], ['haz', 'haz', within(1e-5)], ['bmiz', 'bmi_z', within(1e-5)], ['whz', 'wfl_z', within(1e-5)], ['headcz', 'head_z', within(1e-5)]],
  { input: sasInput, only: has });
for (const [file, keep] of [['oracle_cdc_sas_3000.csv', () => true], ['oracle_cdc_sas_edge33.csv', (row) => row.bmiz !== '']]) {
  test(`${file}: the flags of implausible values are CDC's`, async () => {
    const rows = oracle(file).filter(keep);
    const ours = await assess(rows.map(sasInput));
    for (const [i, row] of rows.entries()) for (const [theirs, mine] of flagColumns(row, ours[i])) if (theirs !== '') assert.equal(mine, theirs, JSON.stringify(row));
  });
}
test('where the percentile rounds to 100, z is 8.21', async () => {
  const row = { sex: 'male', age_months: '48', weight_kg: '40', height_cm: '102', bmi: '38.2' };
  const [out] = await assess([row]);
  assert.equal(out.bmi_z, '8.21');
  assert.match(out.flags, /z_capped/);
});

// ---- categories and calendar ----
test('every category that is no knife edge, with Z68 and E66', async () => {
  const rows = oracle('oracle_grid.csv');
  const byId = new Map((await assess(rows.map(gridInput), '--all')).map((out, i) => [rows[i].id, out]));
  let [count, edges] = [0, 0];
  for (const row of oracle('expected_categories.csv')) {
    const out = byId.get(row.id);
    if (Number(row.distance_to_nearest_cut) < 1e-6) {
      edges += 1;
      continue;
    }
    count += 1;
    assert.deepEqual([out.category, out.icd10_z68, out.icd10_e66], [row.category, row.icd10_z68, row.icd10_e66], JSON.stringify(row));
  }
  say(`expected_categories      ${count} rows equal, ${edges} on a knife edge left out`);
  assert.ok(count > 1600);
});
test('calendar: ages and charts at the second, fifth and twentieth birthday', async () => {
  const rows = oracle('age_boundary_cases.csv');
  const ours = await assess(rows.map((row) => ({ sex: 'female', birth_date: row.birth_date, measured_date: row.measured_date, bmi: '17' })));
  for (const [i, row] of rows.entries()) {
    const out = ours[i];
    assert.equal(out.age_days, row.age_days);
    assert.ok(Math.abs(Number(out.age_months) - Number(row['age_months_days_div_30.4375'])) < 1e-12);
    assert.equal(out.chart, row.chart_by_calendar_months, JSON.stringify(row));
    const below = Number(row.completed_calendar_months) < 24;
    assert.equal(out.chart === 'WHO', below);
  }
  const byDays = await assess(rows.map((row) => ({ sex: 'female', age_days: row.age_days, bmi: '17' })));
  for (const [i, row] of rows.entries()) assert.equal(byDays[i].chart, row['chart_by_days_div_30.4375'], JSON.stringify(row));
});

await finish();
