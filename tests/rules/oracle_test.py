#!/usr/bin/env python3
"""`simpul growth` against the formulae computed another way: 40 decimal digits, over the committed tables.

Far more than WHO published: both tails to six standard deviations, every edge of age and length, months, positions,
oedema, children with something missing. Whole answers are compared, so that a class, flag or reason cannot stray either.
  tests/rules/oracle_test.py [--seed S] [--children N]
"""
import argparse
import json
import math
import random
import re
import sys
from decimal import ROUND_HALF_UP, Decimal, getcontext

sys.path.insert(0, __file__.rsplit("/tests/", 1)[0])
from tests.support.simpul import ROOT, run  # noqa: E402

getcontext().prec = 40
MONTH = Decimal("30.4375")
SEXES = {"M": "Boys", "F": "Girls"}


def tables():
    """{(sex, table): (first, rows)} of who_growth.cc."""
    text = (ROOT / "services/lib/rules/tables/who_growth.cc").read_text(encoding="utf-8")
    found = {}
    for name, body in re.findall(r"constexpr Lms k(\w+)\[\] = \{\n(.*?)\n\};", text, re.S):
        found[name] = [(Decimal(l) / 10000, Decimal(m) / 10000, Decimal(s) / 100000)
                       for m, l, s in re.findall(r"\{(-?\d+),(-?\d+),(-?\d+)\}", body)]
    firsts = {name: int(first) for first, name in re.findall(r"= \{(\d+), k(\w+)\}", text)}
    assert set(found) == set(firsts) and len(found) == 20
    return {name: (firsts[name], rows) for name, rows in found.items()}


TABLES = tables()


def at(sex, table, place):
    first, rows = TABLES[SEXES[sex] + table]
    if not first <= place <= first + len(rows) - 1:
        return None
    low = int(place)
    share = place - low
    a = rows[low - first]
    b = rows[min(low - first + 1, len(rows) - 1)]
    return tuple(x + share * (y - x) for x, y in zip(a, b))


def sd(lms, k):
    l, m, s = lms
    return m * (1 + l * s * k) ** (1 / l)


def z_of(lms, y, restricted):
    l, m, s = lms
    z = ((y / m) ** l - 1) / (l * s)
    if restricted and z > 3:
        z = 3 + (y - sd(lms, 3)) / (sd(lms, 3) - sd(lms, 2))
    elif restricted and z < -3:
        z = -3 + (y - sd(lms, -3)) / (sd(lms, -2) - sd(lms, -3))
    # Half away from zero.
    return z.quantize(Decimal("0.01"), ROUND_HALF_UP)


def age_of(child):
    if "age_months" in child:
        months = Decimal(str(child["age_months"]))
        return math.floor(months * MONTH + Decimal("0.5")), months
    return child["age_days"], Decimal(child["age_days"]) / MONTH


WEIGHT = ((-3, "sangat_kurang"), (-2, "kurang"), (1, "normal"), (9e9, "risiko_berat_badan_lebih"))
STATURE = ((-3, "sangat_pendek"), (-2, "pendek"), (3, "normal"), (9e9, "tinggi"))
NUTRITION = ((-3, "gizi_buruk"), (-2, "gizi_kurang"), (1, "gizi_baik"), (2, "berisiko_gizi_lebih"), (3, "gizi_lebih"),
             (9e9, "obesitas"))
SCHOOL = ((-3, "gizi_buruk"), (-2, "gizi_kurang"), (1, "gizi_baik"), (2, "gizi_lebih"), (9e9, "obesitas"))
HEAD = ((-2, "mikrosefali"), (2, "normal"), (9e9, "makrosefali"))


def classed(classes, z):
    for bound, name in classes:
        if z < bound or (z == bound and bound > 0):
            return name
    raise AssertionError(z)


def expected(child):
    days, months = age_of(child)
    sex = child["sex"]
    old = days > 1856
    is_child = months < 60
    values = {name: Decimal(str(child[name])) for name in ("weight_g", "length_mm", "head_mm", "muac_mm") if name in child}
    length = values.get("length_mm")
    ignored = False
    if length is not None:
        if child["position"] == "standing" and months < 9:
            ignored = True
        elif child["position"] == "standing" and days < 731:
            length += 7
        elif child["position"] == "lying" and days >= 731:
            length -= 7
    kg = values["weight_g"] / 1000 if "weight_g" in values else None
    bmi = kg / (length / 1000) ** 2 if kg is not None and length is not None else None
    made, why = {}, {}

    def put(index, missing, weighed, lms, y, restricted, classes, limits, out="age_out_of_table"):
        if weighed and child["oedema"] and "weight" not in missing:
            why[index] = "oedema"
        elif missing:
            why[index] = missing[0] + "_missing"
        elif lms is None:
            why[index] = out
        else:
            z = z_of(lms, y, restricted)
            flag = "implausible" if not limits[0] <= z <= limits[1] else None
            if flag is None and ignored and index in ("length_height_for_age", "weight_for_length_height", "bmi_for_age"):
                flag = "position_ignored"
            made[index] = {"z": z, "class": classes(z) if classes else "no_class_table", "flag": flag}

    def below_five(classes):
        return (lambda z: classed(classes, z)) if is_child else None

    def for_age(by_day, by_month):
        if not old:
            return at(sex, by_day, Decimal(days))
        return at(sex, by_month, max(months, Decimal(61))) if by_month else None

    weight = [] if kg is not None else ["weight"]
    stature = [] if length is not None else ["length"]
    put("weight_for_age", weight, True, for_age("WeightByDay", "WeightByMonth"), kg, True, below_five(WEIGHT), (-6, 5))
    put("length_height_for_age", stature, False, for_age("StatureByDay", "StatureByMonth"),
        length / 10 if length is not None else None, False, below_five(STATURE), (-6, 6))
    table = at(sex, "WeightByLength" if days < 731 else "WeightByHeight", length) if length is not None and not old else None
    put("weight_for_length_height", weight + stature, True, table, kg, True, below_five(NUTRITION), (-5, 5),
        "age_out_of_table" if old else "length_out_of_table")
    put("bmi_for_age", weight + stature, True, for_age("BmiByDay", "BmiByMonth"), bmi, True,
        lambda z: classed(NUTRITION if is_child else SCHOOL, z), (-5, 5))
    if months >= 216 and bmi is not None and not child["oedema"]:
        shown = bmi.quantize(Decimal("0.01"), ROUND_HALF_UP)
        name = next(word for bound, word in ((18.5, "imt_kurang"), (23, "imt_normal"), (25, "imt_berisiko"),
                                             (30, "obesitas_1"), (9e9, "obesitas_2")) if shown < Decimal(bound))
        score = made.setdefault("bmi_for_age", {"z": None, "flag": None})
        score["class"] = name
        why.pop("bmi_for_age", None)
    put("head_circumference_for_age", [] if "head_mm" in values else ["head"], False, for_age("HeadByDay", None),
        values.get("head_mm", Decimal(0)) / 10, False, below_five(HEAD), (-5, 5))
    put("muac_for_age", [] if "muac_mm" in values else ["muac"], False, for_age("ArmByDay", None),
        values.get("muac_mm", Decimal(0)) / 10, True, None, (-5, 5))
    if "muac_for_age" in made and 6 <= months < 60:
        mm = values["muac_mm"]
        made["muac_for_age"]["class"] = "lila_merah" if mm < 115 else "lila_kuning" if mm < 125 else "lila_hijau"
    status = None
    if is_child and child["oedema"]:
        status = ("gizi_buruk", "oedema")
    elif months < 216:
        source = "weight_for_length_height" if is_child and "weight_for_length_height" in made else "bmi_for_age"
        if source in made and made[source]["flag"] != "implausible":
            status = (made[source]["class"], source)
    return made, why, status


def measured(rng, lms, k, factor, decimals):
    """What a child k standard deviations from the median would measure, as somebody writes it down."""
    l, m, s = lms
    base = 1 + l * s * Decimal(k)
    y = m * base ** (1 / l) if base > Decimal("0.05") else m * Decimal("1.8")
    return float(round(y * factor, decimals)) if decimals else int(round(y * factor))


EDGES = [0, 1, 90, 91, 182, 183, 273, 274, 729, 730, 731, 732, 1825, 1826, 1827, 1855, 1856, 1857, 1858, 3652, 3653, 6574,
         6575, 6939, 6940, 9000]
MONTH_EDGES = [0, 5.99, 6, 8.99, 9, 23.98, 24, 59.99, 60, 60.99, 60.995, 61, 61.5, 119.99, 120, 120.01, 215.99, 216, 227.99, 228,
               228.01, 400]


def invent(rng, number):
    child = {"id": str(number), "sex": rng.choice("MF")}
    way = rng.random()
    if way < 0.25:
        child["age_days"] = rng.choice(EDGES)
    elif way < 0.4:
        child["age_months"] = rng.choice(MONTH_EDGES)
    elif way < 0.8:
        child["age_days"] = rng.randint(0, 1900)
    elif way < 0.9:
        child["age_days"] = rng.randint(1857, 7000)
    else:
        child["age_months"] = round(rng.uniform(0, 230), rng.choice((1, 2, 4)))
    days, months = age_of(child)
    child["position"] = rng.choice(("lying", "standing", "unknown"))
    child["oedema"] = rng.random() < 0.05
    k = rng.choice((rng.uniform(-6.3, 6.3), rng.uniform(-3.2, 3.2), rng.choice((-6, -5, -3, -2, 0, 1, 2, 3, 5, 6))))
    sex = child["sex"]
    day, month = Decimal(min(days, 1856)), min(max(months, Decimal(61)), Decimal(228))
    decimals = rng.choice((0, 0, 1, 2))
    stature = at(sex, "StatureByDay", day) if days <= 1856 else at(sex, "StatureByMonth", month)
    length = measured(rng, stature, rng.choice((k, rng.uniform(-3, 3))), 10, decimals)
    if rng.random() < 0.9:
        child["length_mm"] = length
    if rng.random() < 0.9:
        by_length = at(sex, "WeightByLength" if days < 731 else "WeightByHeight", Decimal(str(length)))
        by_bmi = at(sex, "BmiByDay", day) if days <= 1856 else at(sex, "BmiByMonth", month)
        by_age = at(sex, "WeightByDay", day) if days <= 1856 else at(sex, "WeightByMonth", min(month, Decimal(120)))
        which = rng.randrange(3)
        if which == 0 and by_length:
            child["weight_g"] = measured(rng, by_length, k, 1000, decimals)
        elif which == 1:
            child["weight_g"] = measured(rng, by_bmi, k, Decimal(str(length)) ** 2 / 1000, decimals)
        else:
            child["weight_g"] = measured(rng, by_age, k, 1000, decimals)
        child["weight_g"] = min(child["weight_g"], 500_000)  # what intake takes
    if rng.random() < 0.5:
        child["head_mm"] = measured(rng, at(sex, "HeadByDay", day), k, 10, decimals)
    if rng.random() < 0.5:
        child["muac_mm"] = measured(rng, at(sex, "ArmByDay", min(max(day, Decimal(91)), Decimal(1826))), k, 10, decimals)
    return child


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--children", type=int, default=6000)
    chosen = arguments.parse_args()
    rng = random.Random(chosen.seed)
    children = [invent(rng, number) for number in range(chosen.children)]
    answered = run("growth", "--json", "-", input="".join(json.dumps(child) + "\n" for child in children))
    scores, tails, marked, classes, reasons = 0, 0, 0, set(), set()
    for child, line in zip(children, answered.stdout.splitlines(), strict=True):
        answer = json.loads(line, parse_float=Decimal)
        made, why, status = expected(child)
        got = (answer["indices"], answer["not_derived"])
        assert got == (made, why), f"\n{json.dumps(child)}\nexpected {made} {why}\ngot      {got[0]} {got[1]}"
        got = (answer.get("nutritional_status"), answer.get("nutritional_status_from"))
        assert got == (status or (None, None)), f"{json.dumps(child)} expected {status} got {got}"
        for index, score in made.items():
            scores += score["z"] is not None
            tails += score["z"] is not None and abs(score["z"]) > 3
            marked += score["flag"] is not None
            classes.add((index, score["class"]))
        reasons |= set(why.values())
    print(f"{len(children)} children, {scores} scores as computed, {tails} beyond three standard deviations, {marked} marked; "
          f"{len(classes)} classes and {len(reasons)} reasons seen")
    assert tails > scores // 8 and len(classes) == 36 and len(reasons) == 7, (tails, len(classes), sorted(reasons))


if __name__ == "__main__":
    main()
