"""Pushes events (protobuf JSON, one a line) from standard input: push.py HOST:PORT. Needs grpcio and grpcio-tools."""
import itertools
import pathlib
import sys
import time

import grpc
from google.protobuf import json_format

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "protos"))
messages, services = grpc.protos_and_services("simpul/ingest/v1/ingest.proto")
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def submit(stub, events):
    """Sends a batch until every event has an answer: the same events with the same ids; each counts once."""
    pause = 0.1
    while events:
        try:
            outcomes = stub.SubmitEvents(messages.SubmitEventsRequest(events=events), timeout=30).outcomes
            for outcome in outcomes:
                print(outcome.event_id, messages.Outcome.Name(outcome.outcome),
                      *(f"{wrong.field}: {wrong.message} ({wrong.rule})" for wrong in outcome.violations))
            events = [e for e, o in zip(events, outcomes) if o.outcome == messages.OUTCOME_UNKNOWN]
        except grpc.RpcError as error:
            if error.code() not in AGAIN and "grpc-retry-pushback-ms" not in dict(error.trailing_metadata() or ()):
                raise
        if events:
            time.sleep(pause)
            pause = min(2 * pause, 30)


stub = services.IngestServiceStub(grpc.insecure_channel(sys.argv[1]))
backlog = [json_format.Parse(line, messages.SubmitEventsRequest().events.add()) for line in sys.stdin]
while backlog:  # 500 events and 1 MiB a batch
    fit = sum(size <= 1 << 20 for size in itertools.accumulate(event.ByteSize() for event in backlog[:500]))
    submit(stub, backlog[:fit])
    if not fit:
        print(backlog[0].event_id, "OUTCOME_REFUSED", "event: no batch can hold it (event.too_large)")
    del backlog[:fit or 1]
