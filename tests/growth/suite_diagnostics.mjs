// suite: needs=build
// tests/diagnostics/growth/<case>/input.csv or input.json -> the exact words of expected.txt. EPLAN_UPDATE=1 writes them anew,
// for review.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { binary } from './csv.mjs';
import { run, testsDir } from '../lib/process.mjs';
import { finish, test } from '../lib/tap.mjs';

const folder = path.join(testsDir, 'diagnostics/growth');
for (const name of fs.readdirSync(folder).sort()) {
  test(name, async () => {
    const at = path.join(folder, name);
    const csv = fs.existsSync(path.join(at, 'input.csv'));
    const { code, stderr } = csv
      ? await run(binary, ['growth'], { input: fs.readFileSync(path.join(at, 'input.csv')) })
      : await run(binary, ['growth', '--chart', '-', '-r', 'input.json'], { cwd: at });
    const got = `exit ${code}\n${stderr}`;
    const file = path.join(at, 'expected.txt');
    if (process.env.EPLAN_UPDATE) fs.writeFileSync(file, got);
    assert.equal(got, fs.readFileSync(file, 'utf8'));
  });
}
await finish();
