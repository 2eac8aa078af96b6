"""What an installation lacks is a configuration error where it is used, and nowhere else."""

from dataclasses import replace

from driver import Run, program_of

CONFIGURATION = "https://serverlessworkflow.io/spec/1.0.0/errors/configuration"


def error_of(run):
    return run.step.error


def test_a_schema_of_another_format_is_an_error_at_its_use():
    run = Run("do:\n- a: {set: {n: 1}}\n- b: {set: {n: 2}, output: {schema: {format: avro, document: {}}}}")
    run.start({})
    assert run.step.status == "faulted"
    assert (error_of(run).type, error_of(run).instance) == (CONFIGURATION, "/do/1/b")
    assert 'the schema format "avro" is not available' in error_of(run).detail


def test_a_process_of_another_expression_language_faults_at_its_start():
    run = Run("evaluate: {language: cel}\ndo:\n- a: {set: '${ x }'}")
    run.start({})
    assert run.step.status == "faulted"
    assert (error_of(run).type, error_of(run).instance) == (CONFIGURATION, "/")


def test_a_task_that_can_not_be_performed_is_an_error_that_can_be_caught():
    program = program_of("do:\n- t: {try: [a: {set: {n: 1}}], catch: {as: e, do: [b: {set: {got: '${ $e.detail }'}}]}}")
    broken = tuple(
        replace(task, unavailable="no smoke signals") if task.name == "a" else task for task in program.tasks
    )
    scope = replace(program.body.tasks[0].body, tasks=(broken[1],))
    attempt = replace(broken[0], body=scope)
    body = replace(program.body, tasks=(attempt,))
    run = Run(replace(program, tasks=(attempt, *broken[1:]), body=body))
    run.start({})
    assert run.output == {"got": "no smoke signals"}
