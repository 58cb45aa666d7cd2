#!/usr/bin/env python3
"""Writes tests/unit/fhir/growth/normal_reference.inc with 60-digit arithmetic (mpmath):
   python3 tests/tools/make-normal-reference.py > tests/unit/fhir/growth/normal_reference.inc
Row: z, the share below z, the share above z, each rounded once to a double."""
from mpmath import mp, mpf, erfc, sqrt

mp.dps = 60
points = [0, 1e-300, 1e-9, 0.25, 0.5, 0.674489750196, 1, 1.03643338949, 1.1503493803760079, 1.5,
          1.6448536269514722, 1.8807936081512509, 2, 2.5, 3, 3.5, 4, 5, 6, 6.77, 7, 7.5, 8, 8.21, 8.3,
          9, 10, 12, 15, 20, 25, 30, 35, 37]
print('/* Made by: python3 tests/tools/make-normal-reference.py. Not edited by hand. */')
for z in sorted({float(s * p) for p in points for s in (-1, 1)}):
    below = erfc(-mpf(z) / sqrt(2)) / 2
    above = erfc(mpf(z) / sqrt(2)) / 2
    print(f'{{{z!r}, {float(below)!r}, {float(above)!r}}},')
