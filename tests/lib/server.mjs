// What the servers of the tests have in common: how they say that they are ready, and how they end.
import fs from 'node:fs';

// Whole or not at all, so that a reader never sees half of it.
export function writeReadyFile(file, facts) {
  if (!file) return;
  fs.writeFileSync(`${file}.new`, JSON.stringify(facts) + '\n', { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

// Standard input is a pipe held by whoever started this server: when that process ends, however it ends, so does this.
export function endWithStdin() {
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
}
