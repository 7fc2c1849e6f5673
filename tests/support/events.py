"""Small invented events for tests that need to know every value."""
import datetime
import uuid

FACILITY = {"system": "kemenkes", "code": "P7324020101"}
HOSPITAL = {"system": "kemenkes", "code": "7324011"}
ORGANIZATION = "100027469"
PRACTITIONER = "10009880728"
POSYANDU = "73.24.02.2003.001"
SPACE = uuid.UUID("0c5e9b5e-6d4f-5d0a-9a2f-3f4f2c1c7b11")
START = datetime.datetime(2026, 2, 3, 1, 0, tzinfo=datetime.timezone.utc)


def event_id(*name):
    """The same name, the same id."""
    return str(uuid.uuid5(SPACE, "|".join(map(str, name))))


def nik(number, birth=datetime.date(2024, 5, 1), female=False):
    """A well-formed NIK of Nuha, Luwu Timur. `number` is its serial, from 1."""
    return f"732402{birth.day + (40 if female else 0):02}{birth.month:02}{birth.year % 100:02}{number:04}"


def instant(minutes):
    return (START + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def child(number, name="Anak Contoh"):
    """A child of two."""
    return {"identities": [{"nik": {"number": nik(number)}}], "name": f"{name} {number}", "sex": "SEX_MALE",
            "birthDate": "2024-05-01"}


def envelope(id_, subject, minutes=0, visit=None, recorder="RECORDER_ROLE_MIDWIFE", purpose="PURPOSE_PRODUCTION"):
    event = {
        "eventId": id_, "facility": FACILITY, "unit": {"kind": "UNIT_KIND_POSYANDU", "code": POSYANDU},
        "recorder": {"id": "rec-1", "role": recorder}, "subject": subject,
        "occurredAt": {"time": instant(minutes), "utcOffsetMin": 480, "precision": "TIME_PRECISION_SECOND"},
        "recordedAt": instant(minutes + 30), "channel": "CHANNEL_APP", "purpose": purpose,
    }
    if visit:
        event["visitId"] = visit
    return event


def weighing(id_, subject, weight_g=11000, minutes=0, **more):
    """A weighing at a posyandu."""
    return {**envelope(id_, subject, minutes, **more),
            "visit": {"encounterClass": "ENCOUNTER_CLASS_AMBULATORY", "weightG": weight_g, "lengthMm": 850,
                      "position": "MEASURING_POSITION_STANDING"}}


def checkup(id_, subject, minutes=0, **more):
    """A visit that changes nothing of what the rules say of any other: nobody was weighed."""
    return {**envelope(id_, subject, minutes, **more),
            "visit": {"encounterClass": "ENCOUNTER_CLASS_AMBULATORY", "pulsePerMin": 96}}


def correction(id_, original, minutes=60, reason="salah ketik", **payload):
    """The original with another payload."""
    kept = {key: value for key, value in original.items() if key not in ("visit", "immunisation", "screening")}
    return {**envelope(id_, original["subject"], minutes),
            "correction": {"originalEventId": original["eventId"], "reason": reason,
                           "replacement": {**kept, **payload}}}


def retraction(id_, original, minutes=90, reason="bukan pasien ini"):
    return {**envelope(id_, original["subject"], minutes),
            "retraction": {"originalEventId": original["eventId"], "reason": reason}}


def directory(practitioner=True):
    """The directory these events need; without the practitioner their records are held."""
    return {
        "facilities": [{"codes": [FACILITY], "name": "Puskesmas Nuha", "kind": "puskesmas",
                        "organization": ORGANIZATION, "location": "b017aa54-f1df-4ec2-9d84-8823815d7228"},
                       {"codes": [HOSPITAL], "name": "RSUD I Lagaligo", "kind": "hospital",
                        "organization": "100027470", "location": "dc01c797-547a-4e4d-97cd-4ece0630e380"}],
        "units": [{"facility": FACILITY, "code": POSYANDU, "kind": "posyandu", "name": "Posyandu Melati"}],
        "practitioners": [{"practitioner_id": PRACTITIONER, "nik": "7209061211900001", "name": "Bidan Contoh"}],
        "defaults": [{"facility": FACILITY, "unit": "", "practitioner_id": PRACTITIONER}] if practitioner else [],
    }
