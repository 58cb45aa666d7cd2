// The script of a scripted EHR: which request is answered wrongly, and how. README.md lists the rules.
import path from 'node:path';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const actions = new Set(['pass', 'reply', 'hang-up', 'reset', 'hang']);
const known = new Set(['method', 'path', 'header', 'nth', 'times', 'do', 'commit', 'replyBytes', 'status', 'headers', 'body', 'retryAfter', 'close', 'release', 'why']);

// file: JSON, or an .mjs whose default export is a list of rules or a function (request) -> action or undefined.
export async function loadScript(file) {
  if (!file) return () => undefined;
  const value = file.endsWith('.mjs') ? (await import(pathToFileURL(path.resolve(file)))).default : JSON.parse(fs.readFileSync(file, 'utf8'));
  return typeof value === 'function' ? value : byRules(value);
}

// Each rule counts the requests that it matches; the first rule whose turn it is decides.
export function byRules(rules) {
  if (!Array.isArray(rules)) throw new Error('a script is a list of rules');
  const counted = rules.map((rule, i) => {
    const mistake = (what) => { throw new Error(`rule ${i + 1}: ${what}`); };
    for (const key of Object.keys(rule)) if (!known.has(key)) mistake(`unknown key ${key}`);
    if (!actions.has(rule.do)) mistake(`do must be one of ${[...actions].join(', ')}`);
    if (rule.do === 'reply' && !Number.isInteger(rule.status)) mistake('reply needs a status');
    const { nth = 1, times = rule.nth ? 1 : Infinity } = rule;
    return { rule, index: i, path: rule.path && new RegExp(rule.path), first: nth, last: nth + (times === 'all' ? Infinity : times) - 1, seen: 0 };
  });
  return (request) => {
    let chosen;
    for (const one of counted) {
      const { rule } = one;
      if (rule.method && rule.method !== request.method) continue;
      if (one.path && !one.path.test(request.url)) continue;
      if (rule.header && !Object.entries(rule.header).every(([name, value]) => new RegExp(value).test(request.headers[name] ?? ''))) continue;
      one.seen += 1;
      if (!chosen && one.seen >= one.first && one.seen <= one.last) chosen = { ...rule, rule: one.index };
    }
    return chosen;
  };
}

// Retry-After as the script says it: seconds, { date: seconds from now, past if negative }, or any text as it is.
export function retryAfter(value) {
  if (value === undefined) return {};
  if (typeof value === 'object') return { 'Retry-After': new Date(Date.now() + value.date * 1000).toUTCString() };
  return { 'Retry-After': String(value) };
}
