// Writes the made-up children of the chart tests as FHIR Bundles:
//   node tests/tools/make-growth-bundles.mjs tests/data/growth
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const ucum = 'http://unitsofmeasure.org';
let n = 0;
const observation = (patient, date, code, value, unit, more = {}) => ({
  resource: {
    resourceType: 'Observation', id: `o${++n}`, status: 'final',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: `Patient/${patient}` },
    ...(more.encounter ? { encounter: { reference: more.encounter } } : {}),
    effectiveDateTime: date,
    valueQuantity: { value, unit, system: ucum, code: unit },
  },
});
const patient = (id, gender, birthDate, more = {}) => ({ resource: { resourceType: 'Patient', id, gender, birthDate, ...more } });
const plan = (id, start) => ({ resource: { resourceType: 'CarePlan', id: `plan-${start}`, status: 'active', intent: 'plan', subject: { reference: `Patient/${id}` }, period: { start } } });
const visit = (id, date, weight, height, [wu, hu] = ['kg', 'cm']) => {
  const encounter = `Encounter/${id}-${date.slice(0, 10)}`;
  return [observation(id, date, '29463-7', weight, wu, { encounter }), observation(id, date, '8302-2', height, hu, { encounter })];
};
const write = (name, entries) => writeFileSync(join(folder, `${name}.json`), JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: entries.flat() }, null, 1) + '\n');

// A girl whose line rises from the middle to above the 95th and turns after a plan; one weight is in pounds, one visit
// looks as if pounds had been taken for kilograms.
write('school-age', [
  patient('kim', 'female', '2014-03-01'),
  visit('kim', '2016-04-02', 12.4, 86.8), visit('kim', '2017-03-15', 14.8, 95.5), visit('kim', '2018-03-20', 17.9, 103),
  visit('kim', '2019-04-01', 21.9, 110.2), visit('kim', '2020-07-09', 28.6, 119), visit('kim', '2021-08-11T09:30:00-05:00', 77.4, 49.4, ['[lb_av]', '[in_i]']),
  visit('kim', '2022-03-03', 86, 129), visit('kim', '2022-08-20', 42.8, 132.4), visit('kim', '2023-02-18', 43.9, 135.6), visit('kim', '2023-09-01', 44.6, 139.9),
  plan('kim', '2022-08-22'),
]);
// A baby below 24 months, lying length throughout.
const lying = (id, date, weight, length) => [observation(id, date, '29463-7', weight, 'kg'), observation(id, date, '8306-3', length, 'cm')];
write('infant', [
  patient('lee', 'male', '2022-05-10'),
  lying('lee', '2022-05-24', 3.6, 51), lying('lee', '2022-07-12', 5.4, 57.5), lying('lee', '2022-09-13', 7.1, 63),
  lying('lee', '2022-11-15', 8.4, 67.2), lying('lee', '2023-02-14', 9.8, 72), lying('lee', '2023-05-16', 10.9, 75.8), lying('lee', '2023-11-14', 12.9, 82),
  plan('lee', '2023-02-20'),
]);
// Class 3: the axis must grow with the child.
write('teen', [
  patient('ray', 'male', '2008-01-15'),
  visit('ray', '2019-02-01', 72, 150), visit('ray', '2020-03-01', 88, 157), visit('ray', '2021-03-01', 112, 164), visit('ray', '2022-03-10', 131, 169), visit('ray', '2023-04-01', 148, 172),
  observation('ray', '2023-04-01', '59576-9', 94.2, '%'),
]);
write('no-sex', [patient('sam', 'unknown', '2015-01-01'), visit('sam', '2022-01-01', 25, 125)]);
