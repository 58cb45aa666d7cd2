// suite: timeout=180 needs=build
// `eplan growth` on the command line: rows in, rows out, exit status, memory.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { binary, parse } from './csv.mjs';
import { run, until } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const growth = (input, ...options) => run(binary, ['growth', ...options], { input });
const columns = 'age_days,age_months,bmi,bmi_z,bmi_percentile,bmi_z_lms,percent_of_p95,waz,haz,wfl_z,wfl_percentile,chart,category,flags';

test('columns by name in any order, others ignored; the columns out are these', async () => {
  const plain = await growth('sex,age_days,weight_kg,height_cm\nfemale,3000,25,128\n');
  const mixed = await growth('note,HEIGHT_CM,"x y",Weight_kg,Sex,age_days\n"a, ""b""\nc",128,,25,female,3000\n');
  assert.deepEqual([plain.code, mixed.code, plain.stderr, mixed.stderr], [0, 0, '', '']);
  assert.equal(plain.stdout.split('\n')[0], columns);
  assert.equal(mixed.stdout, plain.stdout);
});

test('CRLF, a byte order mark, and a last line without its end', async () => {
  const lf = await growth('sex,age_months,bmi\nmale,100,17\nfemale,100,17\n');
  const crlf = await growth('\ufeffsex,age_months,bmi\r\nmale,100,17\r\nfemale,100,17');
  assert.equal(crlf.stdout, lf.stdout);
});

test('one row out per row in, in order, whatever the row', async () => {
  const rows = ['male,100,17', '', 'male,abc,17', 'male,100,17,extra', 'female,100,17', '"male,100,17', 'female,101,17', 'male,100,1e3', 'other,100,17', ','];
  const { code, stdout } = await growth(`sex,age_months,bmi\n${rows.join('\n')}\n`);
  assert.equal(code, 0);
  const out = parse(stdout);
  assert.equal(out.length, rows.length);
  assert.deepEqual(out.map((row) => row.flags), ['', 'sex_unknown;no_age;no_weight;no_height', 'age_unreadable', 'row_unreadable', '', 'row_unreadable', '', 'bmi_implausible_high;z_capped', 'sex_unknown', 'sex_unknown;no_age;no_weight;no_height']);
  assert.deepEqual(out.map((row) => row.category), ['healthy', '', '', '', 'healthy', '', 'healthy', 'obesity_class_3', '', '']);
});

test('a header only: a header only', async () => {
  const { code, stdout } = await growth('sex,age_days,bmi\n');
  assert.deepEqual([code, stdout], [0, `${columns}\n`]);
});

test('a header that cannot be used: exit 2, the place, what to do', async () => {
  const { code, stdout, stderr } = await growth('sexx,age_days,bmi\nmale,3000,17\n');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^standard input:1:1: error: the header has no column for the child's sex \[growth-csv-column\]\n/);
  assert.match(stderr, /hint: rename "sexx" to "sex"/);
  const empty = await growth('');
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /is empty; growth CSV begins with a header row/);
});

test('wrong arguments: exit 64 and the usage', async () => {
  for (const options of [['--wrong'], ['--chart'], ['--chart', 'x.svg'], ['--lang', 'fr'], ['extra']]) {
    const { code, stderr } = await growth('', ...options);
    assert.equal(code, 64, options.join(' '));
    assert.match(stderr, /usage: eplan growth/);
  }
});

test('--all adds columns behind the others', async () => {
  const { stdout } = await growth('sex,age_months,bmi\nmale,150,28\n', '--all');
  assert.ok(stdout.startsWith(`${columns},bmi_percentile_lms,`));
  const [row] = parse(stdout);
  assert.deepEqual([row.category, row.icd10_z68, row.icd10_e66], ['obesity_class_1', 'Z68.54', 'E66.811']);
});

test('numbers are as short as they can be and lose nothing', async () => {
  const { stdout } = await growth('sex,age_days,weight_kg,height_cm\nfemale,3000,25.6,128\n');
  const [row] = parse(stdout);
  assert.equal(row.bmi, '15.625');
  for (const [name, text] of Object.entries(row)) if (/^[-\d]/.test(text)) assert.equal(String(Number(text)), text, name);
});

// Rows are answered while the input is still open; memory does not grow with their number.
async function memoryAfter(count) {
  const child = spawn(binary, ['growth'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let lines = 0;
  child.stdout.on('data', (data) => { for (const byte of data) lines += byte === 10; });
  child.stdin.write('sex,age_days,weight_kg,height_cm\n');
  const block = Array.from({ length: 1000 }, (_, i) => `male,${1000 + i},${15 + i / 100},110\n`).join('');
  for (let i = 0; i < count / 1000; i += 1) if (!child.stdin.write(block)) await new Promise((resolve) => { child.stdin.once('drain', resolve); });
  await until(`${count} rows`, () => lines === count + 1, 60_000);
  const [, kilobytes] = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/);
  child.stdin.end();
  const code = await new Promise((resolve) => { child.on('exit', resolve); });
  assert.equal(code, 0);
  return Number(kilobytes);
}
test('streams: answers while the input is open, in memory that does not grow', async () => {
  const [few, many] = [await memoryAfter(2000), await memoryAfter(600_000)];
  process.stdout.write(`# memory after 2,000 rows ${few} kB, after 600,000 rows ${many} kB\n`);
  assert.ok(many - few < 2048, `${few} kB and ${many} kB`);
}, { timeout: 120_000 });

await finish();
