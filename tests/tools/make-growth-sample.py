#!/usr/bin/env python3
"""Writes tests/data/growth/sample.csv: made-up children and what the published formulas give for them, computed a
second time, apart from the project's code, with 40 digits (mpmath):
   python3 tests/tools/make-growth-sample.py CSV-FOLDER > tests/data/growth/sample.csv"""
import csv
import datetime
import random
import sys
from mpmath import mp, mpf, erfc, erfinv, floor, log, sqrt

mp.dps = 40
folder = sys.argv[1]
rng = random.Random(2611)


def table(name, key):
    rows = {'male': [], 'female': []}
    with open(f'{folder}/{name}.csv') as f:
        for r in csv.DictReader(f):
            rows[r['sex']].append([mpf(r[key]), mpf(r['L']), mpf(r['M']), mpf(r['S'])])
    return rows


CDC_BMI = table('cdc2000_bmi_for_age_24_240m', 'age_months')
CDC_STATURE = table('cdc2000_stature_for_age_24_240m', 'age_months')
CDC_WEIGHT = table('cdcsas_weight_for_age_0_240m', 'age_months')
WHO_BMI = table('who2006_bmi_for_age_0_1856d', 'age_days')
WHO_LENGTH = table('who2006_length_height_for_age_0_1856d', 'age_days')
WHO_WEIGHT = table('who2006_weight_for_age_0_1856d', 'age_days')
WHO_WFL = table('who2006_weight_for_length_45_110cm', 'length_cm')


def lms(rows, at):
    for a, b in zip(rows, rows[1:]):
        if a[0] <= at <= b[0]:
            t = (at - a[0]) / (b[0] - a[0])
            return [x + t * (y - x) for x, y in zip(a[1:], b[1:])]
    return None


def below(z):
    return erfc(-z / sqrt(2)) / 2


def quantile(p):
    return sqrt(2) * erfinv(2 * p - 1)


def z_cdc(p, x):
    l, m, s = p
    return log(x / m) / s if abs(l) < mpf('0.01') else ((x / m) ** l - 1) / (l * s)


def value(p, z):
    l, m, s = p
    return m * (1 + l * s * z) ** (1 / l)


def z_who(p, x, restricted):
    l, m, s = p
    z = ((x / m) ** l - 1) / (l * s)
    if not restricted or abs(z) <= 3:
        return z
    side = 1 if z > 0 else -1
    sd3, sd2 = value(p, 3 * side), value(p, 2 * side)
    return side * (3 + (x - sd3) / (sd3 - sd2))


def months_between(a, b):
    return (b.year - a.year) * 12 + b.month - a.month - (b.day < a.day)


def show(v):
    return '' if v is None else mp.nstr(v, 17)


out = csv.writer(sys.stdout, lineterminator='\n')
out.writerow(['id', 'sex', 'birth_date', 'measured_date', 'weight_kg', 'height_cm', 'want_bmi_z', 'want_bmi_percentile',
              'want_bmi_z_lms', 'want_percent_of_p95', 'want_waz', 'want_haz', 'want_wfl_z', 'want_wfl_percentile',
              'want_chart'])
for i in range(160):
    sex = rng.choice(['male', 'female'])
    birth = datetime.date(2004, 1, 1) + datetime.timedelta(days=rng.randrange(3000))
    days = rng.randrange(0, 730) if i % 3 == 0 else rng.randrange(740, 7300)
    seen = birth + datetime.timedelta(days=days)
    whole = months_between(birth, seen)
    age = mpf(days) / mpf('30.4375')
    who = whole < 24
    tall = lms(WHO_LENGTH[sex], mpf(days)) if who else lms(CDC_STATURE[sex], max(age, 24))
    height = mpf(round(float(tall[1] * (1 + tall[2] * rng.gauss(0, 1))), 1))
    fat = lms(WHO_BMI[sex], mpf(days)) if who else lms(CDC_BMI[sex], max(age, 24))
    spread = rng.choice([-3, -1.7, -0.5, 0, 0.4, 1.1, 1.6]) if i % 4 else rng.choice([1.5, 2.5, 4.5])
    bmi = fat[1] * (1 + fat[2] * spread)
    weight = mpf(round(float(bmi * (height / 100) ** 2), 2))
    height, weight = mpf(str(float(height))), mpf(str(float(weight)))
    bmi = weight / (height / 100) ** 2
    row = [i + 1, sex, birth, seen, float(weight), float(height)]
    if who:
        wfl = lms(WHO_WFL[sex], height)
        z = z_who(wfl, weight, True) if wfl else None
        zb = z_who(fat, bmi, True)
        row += [show(zb), show(100 * below(zb)), '', '', show(z_who(lms(WHO_WEIGHT[sex], mpf(days)), weight, True)),
                show(z_who(tall, height, False)), show(z), show(100 * below(z) if wfl else None), 'WHO']
    else:
        at = max(age, mpf(24))
        p95 = value(fat, quantile(mpf('0.95')))
        zl = z_cdc(fat, bmi)
        y = at / 12
        sigma = mpf('0.3728') + mpf('0.5196') * y - mpf('0.0091') * y * y if sex == 'male' else \
            mpf('0.8334') + mpf('0.3712') * y - mpf('0.0011') * y * y
        share = below(zl) if bmi < p95 else mpf('0.9') + below((bmi - p95) / sigma) / 10
        row += [show(quantile(share)), show(100 * share), show(zl), show(100 * bmi / p95),
                show(z_cdc(lms(CDC_WEIGHT[sex], at), weight)), show(z_cdc(tall, height)), '', '', 'CDC']
    out.writerow(row)
