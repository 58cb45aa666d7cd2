// Tells the gateway's log lines, which carry ids only, as the story of children whom the quickstart knows by name.
import { run } from '../lib/process.mjs';

const ends = new Set(['done', 'handed-over', 'held', 'dropped']);
const pauseMs = 60;

export class Story {
  #read = 0; // bytes of the log that were told
  #ways = new Map(); // evaluation id -> { child, way }

  constructor({ binary, config, output, children, say }) {
    Object.assign(this, { binary, config, output, children, say });
  }

  tell(line, time = new Date().toISOString()) { this.say(`  ${time.slice(11, 23)}  ${line}`); }

  async #show(what) {
    const { code, stdout } = await run(this.binary, ['show', '--json', '-c', this.config, what]);
    return code === 0 ? JSON.parse(stdout) : {};
  }

  #child(patient) { return this.children.find(({ id }) => id === patient); }
  #name(patient) { return this.#child(patient)?.given ?? 'a child'; }

  async #stored({ message, time }) {
    const { message: stored, evaluations = [] } = await this.#show(message);
    const who = evaluations.map(({ patient }) => this.#name(patient)).join(', ') || 'nobody';
    const how = stored?.kind === 'poll' ? 'found by a poll' : 'notification received';
    this.tell(`${who}: ${how} and stored (${stored?.resource}), message ${message}`, time);
  }

  async #evaluated({ evaluation, time }) {
    for (const child of this.children) {
      const { evaluations = [] } = await this.#show(child.id);
      const way = evaluations.find((one) => one.evaluation === evaluation);
      if (!way) continue;
      this.#ways.set(evaluation, { child, way });
      this.#tellDecision(child, way, time);
      return;
    }
    this.tell('a visit was evaluated', time);
  }

  #tellDecision({ given }, way, time) {
    const trace = way.trace ?? {};
    const growth = trace.growth ?? {};
    if (growth.percentile) this.tell(`${given}: growth assessed: BMI percentile ${growth.percentile} (${growth.chart}), ${growth.category}`, time);
    const row = (trace.row ?? []).join(', ');
    const proposal = `decision: propose the plan "${trace.plan}"${trace.ask ? `, and ask for ${trace.ask}` : ''}`;
    const told = {
      planned: proposal,
      done: proposal,
      held: `HELD: ${way.because} (${way.detail ?? ''}); what to do: ${way.do}`,
      'handed-over': `HANDED OVER: ${way.because} (${way.detail ?? ''}); what to do: ${way.do}`,
      dropped: `nothing to propose: ${way.because} (${way.detail ?? ''})`,
    }[way.state];
    this.tell(`${given}: ${told}${row ? `; because ${row}` : ''}`, time);
  }

  // What was told in an earlier run.
  async recall() {
    for (const child of this.children) {
      const { evaluations: [way] = [] } = await this.#show(child.id);
      if (way?.ended) this.#tellDecision(child, way, way.ended);
    }
  }

  async #attempted({ change, resource_type: type, outcome, time }) {
    for (const [evaluation, { child }] of this.#ways) {
      const { evaluations = [] } = await this.#show(child.id);
      const way = evaluations.find((one) => one.evaluation === evaluation);
      const row = way?.changes.find((one) => one.change === change);
      if (!row) continue;
      this.tell(outcome === 'delivered' ? `${child.given}: ${type} written and read back (${row.item})` : `${child.given}: ${type} ${outcome}`, time);
      return;
    }
  }

  async #next() {
    const text = this.output().slice(this.#read);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#read += whole.length;
    const tellers = { 'message-stored': this.#stored, evaluated: this.#evaluated, attempted: this.#attempted };
    for (const line of whole.split('\n').filter((one) => one.startsWith('{'))) {
      const entry = JSON.parse(line);
      await tellers[entry.event]?.call(this, entry);
    }
  }

  async #allEnded() {
    for (const child of this.children) {
      const { evaluations = [] } = await this.#show(child.id);
      if (evaluations.length === 0 || !evaluations.every(({ state }) => ends.has(state))) return false;
    }
    return true;
  }

  async untilAllEnded(ms) {
    const end = Date.now() + ms;
    for (;;) {
      await this.#next();
      if (await this.#allEnded()) break;
      if (Date.now() > end) throw new Error('the visits did not come to their end');
      await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
    }
    await this.#next();
  }

  async goOn() {
    for (;;) {
      await this.#next();
      await new Promise((resolve) => { setTimeout(resolve, 500); });
    }
  }
}
