#!/usr/bin/env python3
"""The parts of deploy/quickstart that read JSON. Only the standard library.

  show.py merge FILE FILE             two files of one kind as one
  show.py port FILE NAME              an address of ports.json
  show.py answers FILE                what push --json answered, for a person
  show.py settle SIMPUL TO SURVEY VILLAGE ANSWERS
                                      waits until every accepted event is settled; 1 when one never is
  show.py child FILE patient|event|request
                                      a child of the village, the newest weighing of theirs, a request for their timeline
  show.py story SIMPUL TO FILE growth|referral
                                      a patient of the village: a child that gained too little, or one who was referred and
                                      sent back
  show.py platform URL                what the stand-in holds; 1 when something was created twice
"""
import collections
import json
import subprocess
import sys
import time
import urllib.request

# How a record ends that needs nobody. Held and refused need somebody.
SETTLED = {"delivered", "superseded", "not_sent"}
PATIENCE_S = 300


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def merge(first, second):
    with open(first, encoding="utf-8") as a, open(second, encoding="utf-8") as b:
        one, other = json.load(a), json.load(b)
    if isinstance(one, dict):
        one = {key: one.get(key, []) + other.get(key, []) for key in {**one, **other}}
    else:
        one = one + other
    json.dump(one, sys.stdout, indent=1)
    print()


def port(path, name):
    with open(path, encoding="utf-8") as file:
        print(json.load(file)[name])


def answers(path):
    counts = collections.Counter()
    for row in lines(path):
        counts[row["outcome"]] += 1
        for wrong in row["violations"]:
            print(f"  line {row['line']}: refused, {wrong['field']}: {wrong['message']} [{wrong['rule']}]")
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))


def trace(simpul, to, ids):
    rows = []
    for begin in range(0, len(ids), 500):
        answer = subprocess.run([simpul, "trace", "--to", to, "--json", *ids[begin:begin + 500]], check=False,
                                capture_output=True, text=True)
        rows += [json.loads(line) for line in answer.stdout.splitlines()]
        if answer.returncode != 0 and answer.stderr:
            sys.exit(answer.stderr.strip())
    return rows


def settle(simpul, to, survey, village, village_answers):
    survey_events, outcomes = lines(survey), lines(village_answers)
    refused = [row for row in outcomes if row["outcome"] != "accepted"]
    ids = list(dict.fromkeys([event["eventId"] for event in survey_events] +
                             [row["event_id"] for row in outcomes if row["outcome"] == "accepted"]))
    end = time.monotonic() + PATIENCE_S
    while True:
        rows = trace(simpul, to, ids)
        open_rows = [row for row in rows if row["state"] != "on_timeline" or not row["records"] or
                     any(record["state"] not in SETTLED for record in row["records"])]
        counts = collections.Counter(record["state"] for row in rows for record in row["records"])
        hopeless = all(any(record["state"] in ("held", "refused") for record in row["records"]) or
                       row["state"] == "dead_letter" for row in open_rows)
        # Held records are tried again for a while; refused ones are not.
        if not open_rows or time.monotonic() > end or (hopeless and time.monotonic() > end - PATIENCE_S + 90):
            break
        time.sleep(0.5)
    patients = [f"nik|{event['subject']['identities'][0]['nik']['number']}" for event in survey_events]
    shown = subprocess.run([simpul, "timeline", "--to", to, "--json", "--patient", "-"], check=True, text=True,
                           input="\n".join(patients) + "\n", capture_output=True).stdout.splitlines()
    children = len({json.loads(line)["patient"] for line in shown})
    print(f"{len(ids)} events accepted, {len(refused)} refused as planted; {children} of {len(patients)} surveyed "
          f"children on their timelines")
    print("records: " + ", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    reasons = collections.Counter(f"{record['state']}: {record['reason'] or 'no reason given'}" for row in rows
                                  for record in row["records"] if record["state"] != "delivered")
    for reason, count in sorted(reasons.items()):
        print(f"  {count} {reason}")
    for row in open_rows[:10]:
        print(f"  not settled: {row['event_id']} {row['state']} "
              f"{[(record['state'], record['reason']) for record in row['records']]}")
    planted = 5
    sys.exit(0 if not open_rows and children == len(patients) == 498 and len(refused) == planted else 1)


def child_of(path):
    """The child with the most kinds of events and one NIK from the beginning."""
    kinds, last = collections.defaultdict(set), {}
    for event in lines(path):
        subject = event.get("subject", {})
        number = subject.get("identities", [{}])[0].get("nik", {}).get("number", "")
        if subject.get("birthDate", "") < "2020" or len(number) != 16 or "correction" in event or "retraction" in event:
            continue
        kinds[number] |= {kind for kind in ("visit", "immunisation", "supplement", "referral", "screening")
                          if kind in event}
        if "visit" in event:
            last[number] = event["eventId"]
    number = max(last, key=lambda one: (len(kinds[one]), one))
    return number, last[number]


def story(simpul, to, path, what):
    """The patient of whom the timelines have the most to say."""
    numbers = []
    for event in lines(path):
        identity = event.get("subject", {}).get("identities", [{}])[0]
        number = identity.get("nik", {}).get("number", "")
        if len(number) == 16 and ("referral" in event if what == "referral" else "visit" in event):
            numbers.append(f"nik|{number}")
    shown = subprocess.run([simpul, "timeline", "--to", to, "--json", "--patient", "-"], check=True, text=True,
                           input="\n".join(dict.fromkeys(numbers)) + "\n", capture_output=True).stdout.splitlines()
    said = collections.defaultdict(collections.Counter)
    for entry in map(json.loads, shown):
        of = said[entry["patient"]]
        of["back"] += entry["derived"].get("referral", {}).get("state") == "REFERRAL_STATE_BACK_REFERRED"
        for measured in entry["derived"].get("growth", []):
            card = measured.get("card", {})
            of["two_t"] += card.get("two_t", False)
            of["no_gain"] += card.get("status") == "T"
            of["status"] += "status" in card
    order = ("back",) if what == "referral" else ("two_t", "no_gain", "status")
    print(max(said, key=lambda patient: ([said[patient][count] for count in order], patient)))


def child(path, what):
    number, event_id = child_of(path)
    print({"patient": f"nik|{number}", "event": event_id,
           "request": json.dumps({"patient": {"nik": {"number": number}}}, separators=(",", ":"))}[what])


def platform(url):
    with urllib.request.urlopen(url + "/sandbox/v1/report", timeout=30) as answer:
        report = json.load(answer)
    for kind, count in sorted(report["creates"].items()):
        print(f"  {count:6} {kind}")
    print(f"{report['created']} resources created, {report['updated']} updates, "
          f"{len(report['created_twice'])} created twice")
    sys.exit(1 if report["created_twice"] else 0)


def main():
    commands = {"merge": merge, "port": port, "answers": answers, "settle": settle, "child": child,
                "story": story, "platform": platform}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
