// How far a section of the fault driver has come, in a file, so that a run that was ended goes on where it was. The first
// line names the gateway that is struck (a hash of it), how many points there are, and those to try; each of the others is what came of one: { name, struck, wrong, lost, double,
// overwritten, ms since the beginning }.
import fs from 'node:fs';
import path from 'node:path';

const linesOf = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []).flatMap((line) => {
  try {
    return [JSON.parse(line)];
  } catch {
    return []; // the last line of a run that was killed
  }
});

export class Progress {
  #earlierMs = 0;
  #start = Date.now();

  // choose: an async function that gives { points, names }; not called when `resume` finds a run with the same gateway. What
  // went wrong there is tried again.
  static async open(file, { gateway, resume, choose }) {
    const it = new Progress();
    const [head, ...done] = resume ? linesOf(file) : [];
    const goesOn = head?.gateway === gateway;
    it.file = file;
    it.done = goesOn ? done.filter(({ wrong }) => wrong.length === 0) : [];
    it.again = goesOn ? done.length - it.done.length : 0;
    const { points, names } = goesOn ? head : await choose();
    [it.points, it.names] = [points, names];
    it.#earlierMs = goesOn ? done.at(-1)?.ms ?? 0 : 0;
    it.#start = Date.now();
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, [{ gateway, points, names }, ...it.done].map((line) => `${JSON.stringify(line)}\n`).join(''));
    return it;
  }

  get ms() { return this.#earlierMs + Date.now() - this.#start; }

  left() {
    const done = new Set(this.done.map(({ name }) => name));
    return this.names.filter((name) => !done.has(name));
  }

  add(one) {
    this.done.push({ ...one, ms: this.ms });
    fs.appendFileSync(this.file, `${JSON.stringify(this.done.at(-1))}\n`);
  }

  sum(of) { return this.done.reduce((sum, one) => sum + Number(of(one)), 0); }

  // What is to come takes as long as what was.
  line() {
    const { length: done } = this.done;
    const minutes = Math.ceil((this.ms / Math.max(1, done)) * (this.names.length - done) / 60_000);
    return `${done} of ${this.names.length} points, ${this.sum(({ wrong }) => wrong.length > 0)} wrong, ${Math.round(this.ms / 1000)} s; ${minutes} min to go`;
  }

  tally() {
    const [missed, wrong] = [this.sum(({ struck }) => !struck), this.sum((one) => one.wrong.length > 0)];
    const counted = ['lost', 'double', 'overwritten'].map((name) => `${name.toUpperCase()} ${this.sum((one) => one[name] ?? 0)}`).join(' ');
    return `POINTS ${this.points} TRIED ${this.done.length}${this.again ? ` AGAIN ${this.again}` : ''} NOT-REACHED ${missed} WRONG ${wrong} ${counted} SECONDS ${Math.round(this.ms / 1000)}`;
  }
}
