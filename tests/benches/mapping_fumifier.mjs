// mappings/healthy-weight for one child of 6 to 11 years, in fumifier's language: definitions, holds, table, and the
// resources of plans/overweight-child-ready.yaml. $in, $row, $say, $narrative and $category are functions in JavaScript.
const holds = `[
  $exists(patient.deceasedBoolean) ? patient.deceasedBoolean : $exists(patient.deceasedDateTime),
  $exists(patient.active) and $not(patient.active),
  $in(facts.conditions.code, 'eatingDisorders'),
  $in($current.code, 'pregnancies'),
  $in($current.code, 'hospiceCare') or $in(facts.procedures.code, 'hospiceCare'),
  'edema' in growth.flags,
  'crossed_lines_down' in growth.flags or $count(growth.percentOfP95Change[$ <= -10]) > 0,
  $in($current.code, 'tubeFeedings'),
  $in(facts.conditions.code, 'bodyMeasures'),
  $in(facts.conditions.code, 'syndromes'),
  $in(facts.conditions.code, 'cysticFibroses'),
  $in($current.code, 'cancerTreatments') or $in(facts.procedures.code, 'cancerTreatments'),
  $in($drugs, 'growthDrugs'),
  $in($drugs, 'weightDrugs') or $in(facts.conditions.code, 'weightSurgeries') or $in(facts.procedures.code, 'weightSurgeries'),
  $in($current.code, 'insulinUses') or $in($drugs, 'insulins'),
  $exists(facts.medications.medicationReference),
  growth.ageMonths < 24 and $in($current.code, 'growthFailures'),
  growth.ageMonths < 24 and $count(growth.weightForLengthZ[$ > 3]) > 0,
  growth.ageMonths < 60 and growth.category in ['obesity_class_2', 'obesity_class_3'],
  growth.ehrCategoryDiffers,
  $not($exists(growth.sex)),
  $not($exists(growth.bmi)),
  growth.implausible,
  growth.measured < visit.thirtyDaysAgo
]`;

const goal = `function($key) {(
  $text := $say($key, visit.date);
  { 'resourceType': 'Goal', 'lifecycleStatus': 'proposed', 'description': { 'text': $text },
    'subject': { 'reference': 'Patient/' & patient.id }, 'startDate': visit.date,
    'target': [{ 'dueDate': visit.inThreeMonths }], 'text': $narrative($text, [], []) }
)}`;

export const program = (plan) => `(
  $current := facts.conditions[$not($exists(clinicalStatus)) or $in(clinicalStatus, 'active')];
  $drugs := facts.medications.medicationCodeableConcept;
  $readyState := $in(facts.readiness.valueCodeableConcept, 'ready') ? 'ready' : $in(facts.readiness.valueCodeableConcept, 'notReady') ? 'notReady' : 'unknown';
  $talkState := $in(facts.talk.valueCodeableConcept, 'talkDeclined') ? 'declined' : $in(facts.talk.valueCodeableConcept, 'talkWanted') ? 'wanted' : 'none';
  $foodShort := $in(facts.hvs.valueCodeableConcept, 'atRisk') or $in($current.code, 'foodInsecurity');
  $foodEnough := $in(facts.hvs.valueCodeableConcept, 'notAtRisk') or $count(facts.hvs[$in(code, 'hvsQuestions') and $in(valueCodeableConcept, 'neverTrue')]) = 2;
  $lipidDue := growth.ageMonths >= 108 and $count(facts.lipids) = 0;
  $eligible := $in(facts.encounter.class, 'ambulatory') and $in(facts.encounter.type, 'visitTypes');
  $held := true in ${holds};
  $age := growth.ageMonths;
  $cells := {
    'age': $age < 6 ? 'newborn' : $age < 12 ? 'baby' : $age < 24 ? 'toddler' : $age < 72 ? 'young' : $age < 144 ? 'child' : $age < 216 ? 'teen' : $age < 240 ? 'grown' : 'adult',
    'category': $exists(growth.category) ? growth.category : 'none', 'readiness': $readyState, 'talk': $talkState, 'private': 'no' };
  $goal := ${goal};
  $eligible and $not($held) and $row($cells) = '${plan}' ? (
    $keys := ['goal.water', 'goal.active', 'goal.screen', $foodShort or $not($foodEnough) ? [] : 'goal.produce', 'goal.meals', 'goal.sleep'];
    $goals := $keys.$goal($);
    $lines := $goals.description.text;
    $urls := [1..$count($goals) + 1].('urn:uuid:00000000-0000-4000-8000-' & $pad($string($), -12, '0'));
    $title := $say('title', visit.date);
    $description := $say('description', visit.date);
    $carePlan := {
      'resourceType': 'CarePlan', 'status': 'draft', 'intent': 'proposal', 'category': $category(), 'title': $title, 'description': $description,
      'subject': { 'reference': 'Patient/' & patient.id }, 'encounter': { 'reference': 'Encounter/' & facts.encounter.id },
      'period': { 'start': visit.date, 'end': visit.inThreeMonths },
      'addresses': [facts.conditions[$in(clinicalStatus, 'active') and $in(code, 'weightConditions')].{ 'reference': 'Condition/' & id }],
      'goal': [$urls[[0..$count($goals) - 1]].{ 'reference': $ }],
      'text': $narrative($title, [$description], $lines) };
    { 'resourceType': 'Bundle', 'type': 'collection', 'entry': [$map($append($goals, $carePlan), function($resource, $i) { { 'fullUrl': $urls[$i], 'resource': $resource } })] }
  ) : {}
)`;
