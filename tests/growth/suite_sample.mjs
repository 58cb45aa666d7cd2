// suite: needs=build
// Made-up children, 40-digit arithmetic against ours. Needs nothing beside the project.
import assert from 'node:assert/strict';
import path from 'node:path';
import { assess, read } from './csv.mjs';
import { testsDir } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const rows = read(path.join(testsDir, 'data/growth/sample.csv'));
const ours = await assess(rows);
for (const name of ['bmi_z', 'bmi_percentile', 'bmi_z_lms', 'percent_of_p95', 'waz', 'haz', 'wfl_z', 'wfl_percentile']) {
  test(`${name}: the published formulas in 40 digits`, () => {
    let [largest, count] = [0, 0];
    for (const [i, row] of rows.entries()) {
      const [want, got] = [row[`want_${name}`], ours[i][name]];
      assert.equal(got === '', want === '', `row ${row.id}: wanted "${want}", got "${got}"`);
      if (want === '') continue;
      count += 1;
      const difference = Math.abs(Number(want) - Number(got)) / Math.max(1, Math.abs(Number(want)));
      largest = Math.max(largest, difference);
      assert.ok(difference < 1e-11, `row ${row.id}: wanted ${want}, got ${got}`);
    }
    assert.ok(count > 20);
    process.stdout.write(`# ${name.padEnd(16)} ${count} values, largest relative difference ${largest.toExponential(2)}\n`);
  });
}
test('chart by calendar months', () => {
  for (const [i, row] of rows.entries()) assert.equal(ours[i].chart, row.want_chart, row.id);
});
await finish();
