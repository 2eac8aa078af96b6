"""What is counted, and how the log is set up."""

import json
import logging
from types import SimpleNamespace

import pytest
import structlog
from prometheus_client import REGISTRY

from perdure import telemetry


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("type_", "name", "labels"),
    [
        ("io.serverlessworkflow.workflow.started.v1", "perdure_processes_started_total", {}),
        ("io.serverlessworkflow.workflow.faulted.v1", "perdure_processes_ended_total", {"status": "faulted"}),
        ("io.serverlessworkflow.task.completed.v1", "perdure_activities_ended_total", {"status": "completed"}),
        ("io.serverlessworkflow.task.retried.v1", "perdure_activities_retried_total", {}),
        ("dev.perdure.fact.refused", "perdure_facts_refused_total", {}),
    ],
)
def test_a_step_is_counted_by_its_history(type_, name, labels):
    before = value(name, **labels)
    entries = [SimpleNamespace(type=type_)] * 3 + [SimpleNamespace(type="dev.perdure.other")]
    telemetry.record_step(SimpleNamespace(history=entries))
    assert value(name, **labels) == before + 3


def test_a_call_is_counted_while_it_lasts_and_by_its_outcome():
    outcomes = {outcome: {"function": "http", "outcome": outcome} for outcome in ("succeeded", "failed")}
    before = {outcome: value("perdure_calls_total", **labels) for outcome, labels in outcomes.items()}
    flying = value("perdure_calls_in_flight")
    with telemetry.call_in_flight("http", unmade=TimeoutError):
        assert value("perdure_calls_in_flight") == flying + 1
    with pytest.raises(OSError), telemetry.call_in_flight("http", unmade=TimeoutError):
        raise OSError
    assert value("perdure_calls_in_flight") == flying
    for outcome, labels in outcomes.items():
        assert value("perdure_calls_total", **labels) == before[outcome] + 1


def test_every_metric_is_documented(pytestconfig):
    text = (pytestconfig.rootpath / "docs" / "api.md").read_text()
    names = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("perdure_")}
    assert len(names) > 20
    assert [name for name in sorted(names) if f"`{name}" not in text] == []


@pytest.mark.parametrize(("options", "words"), [({"level": "loud"}, "LOG_LEVEL"), ({"format_": "xml"}, "LOG_FORMAT")])
def test_a_wrong_setting_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        telemetry.configure_logging(**options)


def test_what_is_bound_is_on_every_line_and_libraries_log_alike(capsys):
    telemetry.configure_logging(level="info", format_="json")
    with structlog.contextvars.bound_contextvars(process_id="p1", activity_id="a1"):
        structlog.get_logger("x").info("performed", function="http")
        logging.getLogger("aiormq").error("lost amqp://u:s3cret@b")
        structlog.get_logger("x").debug("too quiet")
        logging.getLogger("aiormq").info("too quiet")
    own, library = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert own["event"] == "performed"
    assert library["event"] == "lost amqp://u:***@b"
    for line in (own, library):
        assert (line["process_id"], line["activity_id"]) == ("p1", "a1")
        assert line["at"].endswith("Z")


def test_the_console_shows_no_secrets_and_no_local_variables(capsys):
    telemetry.configure_logging(level="info", format_="console")
    structlog.configure(cache_logger_on_first_use=False)
    local = "s3cret"
    try:
        raise OSError(f"amqp://u:{local}@b refused")
    except OSError:
        structlog.get_logger("x").exception("failed", token=local)
    text = capsys.readouterr().err
    assert "refused" in text
    assert "u:s3cret" not in text
    assert "token=s3cret" not in text
