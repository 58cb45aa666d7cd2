// How long each fuzz target was run since its reader last changed: targets.csv says which sources are the reader,
// RUNS.md holds one row for each run.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const wantedMinutes = 30;
const columns = ['date', 'commit', 'target', 'reader', 'minutes', 'executions', 'coverage', 'findings'];
const head = `# Runs of the fuzzers

Written by \`tests/fuzz TARGET --minutes N\`. *reader* is a hash of the sources that \`targets.csv\` names for the target: rows
with another hash are about an earlier reader. *coverage* is libFuzzer's count of edges. *findings* are inputs that
crashed, hung or leaked. A timeout is none when the input, run alone, is quick (the process had been stopped meanwhile).

| ${columns.join(' | ')} |
|${columns.map(() => '---|').join('')}
`;

// -> { target: [source, …] }
export function readTargets(testsDir) {
  const lines = fs.readFileSync(path.join(testsDir, 'fuzzers/targets.csv'), 'utf8').trim().split('\n').slice(1);
  return Object.fromEntries(lines.map((line) => {
    const [target, sources] = line.split(',');
    return [target, sources.trim().split(/\s+/)];
  }));
}

// A hash of what the sources say; a folder stands for the C files in it.
export function readerHash(rootDir, sources) {
  const files = sources.flatMap((source) => {
    const whole = path.join(rootDir, source);
    if (!fs.existsSync(whole)) throw new Error(`targets.csv names ${source}, which is not there`);
    if (!fs.statSync(whole).isDirectory()) return source;
    return fs.readdirSync(whole).filter((name) => /\.(c|h|def|inc)$/.test(name)).sort().map((name) => path.join(source, name));
  });
  const hash = crypto.createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(fs.readFileSync(path.join(rootDir, file))).update('\0');
  return hash.digest('hex').slice(0, 12);
}

export function readRuns(testsDir) {
  const file = path.join(testsDir, 'fuzzers/RUNS.md');
  const rows = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter((line) => /^\| \d{4}-/.test(line)) : [];
  return rows.map((row) => {
    const cells = row.split('|').slice(1, -1).map((cell) => cell.trim());
    return Object.fromEntries(columns.map((column, i) => [column, cells[i]]));
  });
}

export function appendRun(testsDir, run) {
  const file = path.join(testsDir, 'fuzzers/RUNS.md');
  if (!fs.existsSync(file)) fs.writeFileSync(file, head);
  fs.appendFileSync(file, `| ${columns.map((column) => run[column]).join(' | ')} |\n`);
}

// One sentence for each target that was not run for long enough since its reader changed.
export function fuzzWarnings(testsDir) {
  const runs = readRuns(testsDir);
  return Object.entries(readTargets(testsDir)).flatMap(([target, sources]) => {
    const reader = readerHash(path.dirname(testsDir), sources);
    const own = runs.filter((run) => run.target === target);
    const minutes = own.filter((run) => run.reader === reader).reduce((sum, run) => sum + Number(run.minutes), 0);
    if (minutes >= wantedMinutes) return [];
    if (own.length === 0) return [`fuzz ${target}: never run; try: tests/fuzz ${target} --minutes ${wantedMinutes}`];
    if (minutes === 0) return [`fuzz ${target}: its reader changed since its last record of ${own.at(-1).date}`];
    return [`fuzz ${target}: ${minutes.toFixed(1)} of ${wantedMinutes} minutes since its reader changed`];
  });
}
