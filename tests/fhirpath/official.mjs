// Reads the official FHIRPath suite (tests-fhir-r4.xml) and judges answers of `eplan fhirpath --batch` by it.
import fs from 'node:fs';
import path from 'node:path';

const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text) {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name) => {
    if (name[0] !== '#') return entities[name] ?? whole;
    return String.fromCodePoint(name[1] === 'x' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10));
  });
}

function attributes(text) {
  return Object.fromEntries([...text.matchAll(/([\w:]+)\s*=\s*"([^"]*)"/g)].map((m) => [m[1], unescape(m[2])]));
}

// [{group, name, file, predicate, strict, ordered, expression, invalid, outputs: [{type, text}]}]
export function readSuite(file) {
  const xml = fs.readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  const tests = [];
  for (const group of xml.matchAll(/<group\b([^>]*)>([\s\S]*?)<\/group>/g)) {
    for (const test of group[2].matchAll(/<test\b([^>]*)>([\s\S]*?)<\/test>/g)) {
      const own = attributes(test[1]);
      const [, head, expression] = /<expression\b([^>]*)>([\s\S]*?)<\/expression>/.exec(test[2]);
      tests.push({
        group: attributes(group[1]).name,
        name: own.name,
        file: own.inputfile,
        predicate: own.predicate === 'true',
        strict: own.mode === 'strict',
        ordered: own.ordered !== 'false',
        invalid: attributes(head).invalid,
        expression: unescape(expression),
        outputs: [...test[2].matchAll(/<output\b([^>]*?)(?:\/>|>([\s\S]*?)<\/output>)/g)].map((m) => ({
          type: attributes(m[1]).type,
          text: unescape(m[2] ?? ''),
        })),
      });
    }
  }
  return tests;
}

// The JSON form of an input, which the suite has beside most XML ones; else the XML.
export function findInput(folder, name) {
  if (!name) return undefined;
  const json = path.join(folder, 'input', name.replace(/\.xml$/, '.json'));
  return fs.existsSync(json) ? json : path.join(folder, 'input-xml', name);
}

// JSON.parse loses the digits of numbers; here they stay text.
export function parseAnswer(line) {
  return JSON.parse(line.replace(/"value":(-?\d[\d.eE+-]*)/g, '"value":{"digits":"$1"}'));
}

function textOf(value) {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value;
  if (value.digits !== undefined) return value.digits;
  if (value.unit !== undefined) return `${textOf(value.value)} '${value.code ?? value.unit}'`;
  return JSON.stringify(value);
}

function matches(wanted, got) {
  const type = got.type.slice(got.type.indexOf('.') + 1).toLowerCase();
  const text = textOf(got.value);
  return (wanted.type === undefined || wanted.type.toLowerCase() === type) && wanted.text.replace(/^@T?/, '') === text;
}

// What is wrong with an answer; undefined when nothing is.
export function judge(test, answer) {
  if (test.invalid) {
    if (!answer.error) return `an error (${test.invalid}) is expected, not ${JSON.stringify(answer.result)}`;
    return answer.error.kind === test.invalid ? undefined : `kind ${test.invalid} expected, not ${answer.error.kind}: ${answer.error.message}`;
  }
  if (answer.error) return `${answer.error.kind}: ${answer.error.message}`;
  let got = answer.result;
  if (test.predicate) got = [{ type: 'System.Boolean', value: got.length !== 0 }];
  const rest = [...got];
  const fits = got.length === test.outputs.length && test.outputs.every((wanted, i) => {
    const at = test.ordered ? 0 : rest.findIndex((item) => matches(wanted, item));
    if (at < 0 || !matches(wanted, rest[at])) return false;
    rest.splice(at, 1);
    return i >= 0;
  });
  return fits ? undefined : `${JSON.stringify(test.outputs)} expected, not ${JSON.stringify(got)}`;
}
