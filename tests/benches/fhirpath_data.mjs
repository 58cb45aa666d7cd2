// What the FHIRPath benchmark measures on: two Bundles of one child's visits, twelve expressions, and one job from Bundle
// to CarePlan. Those of ../shared/fhirpath/bench when they are there, else the project's own of the same shape and size.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const RECORD_NUMBER = 'https://clinic.example/record-number';
const HERITAGE = 'https://clinic.example/fhir/heritage';

const MEASURES = [
  { key: 'weight', code: '29463-7', text: 'Body weight', unit: 'kg', value: (i) => 30 + i / 4 },
  { key: 'height', code: '8302-2', text: 'Body height', unit: 'cm', value: (i) => 124 + i / 2 },
  { key: 'bmi', code: '39156-5', text: 'Body mass index', unit: 'kg/m2', value: (i) => 19.5 + i / 20 },
];

const day = (i) => new Date(Date.UTC(2025, 8, 1 + 8 * i, 14, 30)).toISOString().replace('.000Z', '+00:00');

function observation(measure, i) {
  return {
    resourceType: 'Observation',
    id: `${measure.key}-${i}`,
    meta: { profile: ['http://hl7.org/fhir/StructureDefinition/vitalsigns'] },
    status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs', display: 'Vital Signs' }] }],
    code: {
      coding: [
        { system: 'https://clinic.example/fhir/flowsheet', code: `row-${measure.key}`, display: measure.text },
        { system: LOINC, code: measure.code, display: measure.text },
      ],
      text: measure.text,
    },
    subject: { reference: 'Patient/river' },
    encounter: { reference: 'Encounter/visit-latest' },
    effectiveDateTime: day(i),
    issued: day(i).replace('+', '.000+'),
    performer: [{ reference: 'Practitioner/nurse-3', display: 'Nurse of the growth clinic' }],
    valueQuantity: { value: measure.value(i), unit: measure.unit, system: UCUM, code: measure.unit },
  };
}

function bundle(visits) {
  const patient = {
    resourceType: 'Patient',
    id: 'river',
    extension: [{ url: HERITAGE, valueCodeableConcept: { coding: [{ system: 'https://clinic.example/fhir/heritages', code: 'B2', display: 'As the family says it' }] } }],
    identifier: [{ system: 'https://school.example/pupil', value: 'P-7' }, { system: RECORD_NUMBER, value: '00481516' }],
    active: true,
    name: [{ use: 'nickname', given: ['Riv'] }, { use: 'official', family: 'Sample', given: ['River', 'Ada'] }],
    telecom: [
      { system: 'phone', value: '555-0100', use: 'home' },
      { system: 'phone', value: '555-0101', use: 'mobile', rank: 1 },
      { system: 'email', value: 'sample.family@mail.example' },
    ],
    gender: 'female',
    birthDate: '2017-06-02',
    address: [{ use: 'home', line: ['12 Orchard Row'], city: 'Exampleville', postalCode: '00000', country: 'US' }],
    contact: [{
      relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'N' }], text: 'Grandmother' }],
      name: { family: 'Sample', given: ['Juno'] },
      telecom: [{ system: 'phone', value: '555-0102' }],
    }],
  };
  const practitioner = { resourceType: 'Practitioner', id: 'nurse-3', name: [{ family: 'Example', given: ['Noor'] }] };
  const encounter = {
    resourceType: 'Encounter', id: 'visit-latest', status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/river' }, period: { start: '2026-08-28T14:00:00+00:00' },
  };
  const resources = [patient, practitioner, encounter];
  for (let i = 0; i < visits; i++) resources.push(...MEASURES.map((measure) => observation(measure, i)));
  return {
    resourceType: 'Bundle', id: `visits-${visits}`, type: 'collection', timestamp: '2026-08-28T15:00:00+00:00',
    entry: resources.map((resource) => ({ fullUrl: `https://clinic.example/fhir/${resource.resourceType}/${resource.id}`, resource })),
  };
}

const P = 'Bundle.entry.resource.ofType(Patient)';
const of = (code) => `Bundle.entry.resource.ofType(Observation).where(code.coding.exists(system='${LOINC}' and code='${code}'))`;
const [WEIGHT, HEIGHT, BMI] = MEASURES.map((measure) => of(measure.code));

const expressions = [
  ['latest BMI', `${BMI}.value.ofType(Quantity).value.last()`],
  ['official name', `${P}.name.where(use='official').select(given.first() & ' ' & family)`],
  ['birth date', `${P}.birthDate`],
  ['record number', `${P}.identifier.where(system='${RECORD_NUMBER}').value.first()`],
  ['age 2 to 20', `${P}.select(birthDate <= @2026-08-28 - 2 years and birthDate > @2026-08-28 - 20 years)`],
  ['sex as code', `${P}.select(iif(gender='male','M',iif(gender='female','F','U')))`],
  ['weight in grams', `${WEIGHT}.value.ofType(Quantity).last() > 31000 'g'`],
  ['recent date', `${WEIGHT}.effective.where($this >= @2025-09-10T00:00:00Z).last()`],
  ['all phones', `${P}.select(telecom.where(system='phone').value | contact.telecom.where(system='phone').value)`],
  ['BMI computed', `(${WEIGHT}.value.ofType(Quantity).value.last() / (${HEIGHT}.value.ofType(Quantity).value.last() / 100).power(2)).round(1)`],
  ['extension code', `${P}.extension('${HERITAGE}').value.ofType(CodeableConcept).coding.code`],
  ['plain path', null, 'Patient', `name.where(use='official').given.first()`],
];

const fields = {
  child: `${P}.name.where(use='official').select(given.first() & ' ' & family)`,
  subject: `'Patient/' & ${P}.id`,
  record: `${P}.identifier.where(system='${RECORD_NUMBER}').value.first()`,
  born: `${P}.birthDate`,
  sex: `iif(${P}.gender='male','M',iif(${P}.gender='female','F','U'))`,
  author: `'Practitioner/' & Bundle.entry.resource.ofType(Practitioner).first().id`,
  visit: `'Encounter/' & Bundle.entry.resource.ofType(Encounter).first().id`,
  start: 'Bundle.entry.resource.ofType(Encounter).first().period.start',
  created: 'Bundle.timestamp',
  bmi: `${BMI}.value.ofType(Quantity).value.last()`,
  bmiUnit: `${BMI}.value.ofType(Quantity).unit.last()`,
  bmiFact: `'Observation/' & ${BMI}.id.last()`,
  bmiDate: `${BMI}.effective.last()`,
  bmiFirst: `${BMI}.value.ofType(Quantity).value.first()`,
  visits: `${BMI}.count()`,
  weight: `${WEIGHT}.value.ofType(Quantity).value.last()`,
  weightFact: `'Observation/' & ${WEIGHT}.id.last()`,
  height: `${HEIGHT}.value.ofType(Quantity).value.last()`,
  heightFact: `'Observation/' & ${HEIGHT}.id.last()`,
  phone: `${P}.telecom.where(system='phone' and use='mobile').value.first()`,
  carer: `${P}.contact.where(relationship.coding.code='N').name.select(given.first() & ' ' & family).first()`,
};

function build(v) {
  return {
    resourceType: 'CarePlan', status: 'draft', intent: 'proposal', title: `A plan for ${v.child}`,
    description: `BMI ${v.bmi} ${v.bmiUnit} on ${v.bmiDate}, at first ${v.bmiFirst}, of ${v.visits} visits; ${v.sex}, born ${v.born}`,
    subject: { reference: v.subject, identifier: { system: RECORD_NUMBER, value: v.record }, display: v.child },
    encounter: { reference: v.visit }, period: { start: v.start }, created: v.created, author: { reference: v.author },
    supportingInfo: [{ reference: v.bmiFact }, { reference: v.weightFact }, { reference: v.heightFact }],
    activity: [
      { detail: { status: 'not-started', description: `${v.carer} (${v.phone}) and ${v.child} choose what to begin with` } },
      { detail: { status: 'not-started', description: `Look again in four weeks; at this visit ${v.weight} kg and ${v.height} cm` } },
    ],
  };
}

// The same fields in JSONata. A user of JSONata looks each kind of resource up once, so this does.
function jsonata(names) {
  const last = (list, part) => `${list}[-1]${part}`;
  const own = {
    subject: `'Patient/' & $p.id`,
    child: `$p.name[use='official'].(given[0] & ' ' & family)`,
    record: `$p.identifier[system='${names.recordSystem}'].value`,
    born: '$p.birthDate',
    sex: `$p.gender='male' ? '${names.sex[0]}' : $p.gender='female' ? '${names.sex[1]}' : '${names.sex[2]}'`,
    author: `'Practitioner/' & $r[resourceType='Practitioner'][0].id`,
    visit: `'Encounter/' & $e.id`,
    start: '$e.period.start',
    created: 'timestamp',
    bmi: last('$bmi', '.valueQuantity.value'),
    bmiUnit: last('$bmi', '.valueQuantity.unit'),
    bmiFact: `'Observation/' & ${last('$bmi', '.id')}`,
    bmiDate: last('$bmi', '.effectiveDateTime'),
    bmiFirst: '$bmi[0].valueQuantity.value',
    visits: '$count($bmi)',
    weight: last('$weight', '.valueQuantity.value'),
    weightFact: `'Observation/' & ${last('$weight', '.id')}`,
    height: last('$height', '.valueQuantity.value'),
    heightFact: `'Observation/' & ${last('$height', '.id')}`,
    phone: `$p.telecom[system='phone' and use='mobile'][0].value`,
    carer: `$p.contact[relationship.coding.code='N'][0].name.(given[0] & ' ' & family)`,
  };
  const find = (code) => `$o[code.coding[system='${LOINC}' and code='${code}']]`;
  const members = Object.entries(own).map(([key, text]) => `'${names.rename[key] ?? key}': ${text}`);
  return `($r := entry.resource; $p := $r[resourceType='Patient'][0]; $e := $r[resourceType='Encounter'][0];
    $o := $r[resourceType='Observation']; $bmi := ${find('39156-5')}; $weight := ${find('29463-7')}; $height := ${find('8302-2')};
    {${members.join(', ')}})`;
}

function own() {
  return {
    origin: 'the project\'s own data',
    bundles: [4, 40].map((visits) => ({ name: `${visits} visits`, text: JSON.stringify(bundle(visits)) })),
    expressions, fields, build,
    jsonata: jsonata({ recordSystem: RECORD_NUMBER, sex: ['M', 'F', 'U'], rename: {} }),
  };
}

// The keys that the shared job gives the same fields.
const SHARED_NAMES = {
  subject: 'patientRef', child: 'patientName', record: 'nhs', born: 'birthDate', author: 'authorRef', visit: 'encRef', start: 'periodStart',
  bmiFact: 'bmiRef', weightFact: 'weightRef', heightFact: 'heightRef', visits: 'measured',
};

function shared(folder) {
  const require = createRequire(import.meta.url);
  const { exprs } = require(path.join(folder, 'exprs.js'));
  const job = require(path.join(folder, 'map-exprs.js'));
  return {
    origin: '../shared/fhirpath/bench',
    bundles: [4, 40].map((visits) => ({ name: `${visits} visits`, text: fs.readFileSync(path.join(folder, `bundle-${visits}.json`), 'utf8') })),
    expressions: exprs, fields: job.fields, build: job.build,
    jsonata: jsonata({ recordSystem: 'https://fhir.nhs.uk/Id/nhs-number', sex: ['1', '2', '9'], rename: SHARED_NAMES }),
  };
}

export function benchData(folder) {
  const data = folder && fs.existsSync(path.join(folder, 'exprs.js')) ? shared(folder) : own();
  return {
    ...data,
    expressions: data.expressions.map(([name, ofBundle, context, ofContext]) => ({ name, text: ofBundle ?? ofContext, context: context ?? null })),
    // The CarePlan with {{field}} where a value goes, for engines that have no JavaScript.
    template: data.build(Object.fromEntries(Object.keys(data.fields).map((key) => [key, `{{${key}}}`]))),
  };
}
