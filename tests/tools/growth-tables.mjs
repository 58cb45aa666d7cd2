// Which CSV file becomes which table of fhir/growth/, and who published it.
const cdc = 'Source: CDC/NCHS, growth charts 2000';
const who06 = 'Source: World Health Organization, Child Growth Standards 2006';
const who07 = 'Source: World Health Organization, Growth reference data for 5-19 years, 2007';

export const tables = [
  { csv: 'cdc2000_bmi_for_age_24_240m.csv', name: 'cdc2000_bmi_for_age', source: `${cdc} (bmiagerev). Age in months.` },
  { csv: 'cdc2000_stature_for_age_24_240m.csv', name: 'cdc2000_stature_for_age', source: `${cdc} (statage). Age in months.` },
  { csv: 'cdcsas_weight_for_age_0_240m.csv', name: 'cdc2000_weight_for_age_sas', source: `${cdc}, as the reference file of CDC's SAS program has it. Age in months.` },
  { csv: 'cdc2000_weight_for_age_24_240m.csv', name: 'cdc2000_weight_for_age', source: `${cdc} (wtage). Age in months.` },
  { csv: 'cdc2000_weight_for_age_0_36m.csv', name: 'cdc2000_weight_for_age_infant', source: `${cdc} (wtageinf). Age in months.` },
  { csv: 'cdc2000_length_for_age_0_36m.csv', name: 'cdc2000_length_for_age', source: `${cdc} (lenageinf). Age in months.` },
  { csv: 'cdc2000_head_circumference_for_age_0_36m.csv', name: 'cdc2000_head_for_age', source: `${cdc} (hcageinf). Age in months.` },
  { csv: 'cdc2000_weight_for_length_45_103cm.csv', name: 'cdc2000_weight_for_length', source: `${cdc} (wtleninf). Length in cm.` },
  { csv: 'cdc2000_weight_for_stature_77_121cm.csv', name: 'cdc2000_weight_for_stature', source: `${cdc} (wtstat). Stature in cm.` },
  { csv: 'who2006_bmi_for_age_0_1856d.csv', name: 'who2006_bmi_for_age', source: `${who06}. Age in days.` },
  { csv: 'who2006_length_height_for_age_0_1856d.csv', name: 'who2006_length_for_age', source: `${who06}; length to 730 days, height from 731. Age in days.` },
  { csv: 'who2006_weight_for_age_0_1856d.csv', name: 'who2006_weight_for_age', source: `${who06}. Age in days.` },
  { csv: 'who2006_head_circumference_for_age_0_1856d.csv', name: 'who2006_head_for_age', source: `${who06}. Age in days.` },
  { csv: 'who2006_weight_for_length_45_110cm.csv', name: 'who2006_weight_for_length', source: `${who06}. Length in cm.` },
  { csv: 'who2006_weight_for_height_65_120cm.csv', name: 'who2006_weight_for_height', source: `${who06}. Height in cm.` },
  { csv: 'who2007_bmi_for_age_60_228m.csv', name: 'who2007_bmi_for_age', source: `${who07}. Age in months; the last row is WHO's copy of the one before.` },
  { csv: 'who2007_height_for_age_60_228m.csv', name: 'who2007_height_for_age', source: `${who07}. Age in months; the last row is WHO's copy of the one before.` },
  { csv: 'who2007_weight_for_age_60_120m.csv', name: 'who2007_weight_for_age', source: `${who07}. Age in months; the last row is WHO's copy of the one before.` },
];
