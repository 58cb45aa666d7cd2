// The journal: one line of JSON for each committed change set, so that the EHR can be killed and started again.
// A line is written before anything is answered (survives SIGKILL) and synced before its own answer (survives power loss).
import fs from 'node:fs';
import path from 'node:path';

export class Journal {
  #fd;
  #syncing;
  #next;

  // Calls replay(changes) for every complete line. A torn last line was never answered, so it is cut off.
  constructor(file, replay) {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#fd = fs.openSync(file, 'a+', 0o600);
    const bytes = fs.readFileSync(file);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) fs.ftruncateSync(this.#fd, end);
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    lines.forEach((line, i) => {
      try {
        replay(JSON.parse(line));
      } catch (error) {
        throw new Error(`${file}:${i + 1}: cannot replay: ${error.message}`);
      }
    });
  }

  append(changes) {
    fs.writeSync(this.#fd, JSON.stringify(changes) + '\n');
  }

  // Resolves when everything appended so far is on disk. One sync serves all who wait; a sync that has already begun
  // may miss a line, so late comers wait for the next one.
  synced() {
    if (!this.#syncing) return this.#sync();
    this.#next ??= this.#syncing.then(() => this.#sync());
    return this.#next;
  }

  #sync() {
    this.#next = undefined;
    this.#syncing = new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    }).finally(() => { this.#syncing = undefined; });
    return this.#syncing;
  }
}
