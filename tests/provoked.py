"""Which rules the tests provoke: `--every-rule` fails a run in which one never broke.

Every issue, finding and remark made in this process counts, and its words are put together at
once, so that a placeholder without its value fails the test that met it.
"""

import pytest

from fhirpkg.applying.outcomes import Messages
from fhirpkg.cli.catalogue import catalogue
from fhirpkg.issues import Issue
from fhirpkg.validation.run import Run

_seen: set[str] = set()
_worded: set[tuple[str, ...]] = set()
"""Rules with the names of what was found, whose words were put together."""


def pytest_addoption(parser):
    parser.addoption(
        "--every-rule",
        action="store_true",
        help="fail when a rule of the catalogue was provoked by no test",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if config.getoption("--every-rule"):
        _note_issues()
        _note_reports(Run)
        _note_reports(Messages)


def _note_issues():
    made = Issue.__init__

    def init(self, *args, **keywords):
        made(self, *args, **keywords)
        _seen.add(self.rule)

    Issue.__init__ = init


def _note_reports(owner):
    report = owner.report

    def noted(self, rule, /, *args, **keywords):
        _seen.add(rule.id)
        report(self, rule, *args, **keywords)
        if owner is Run and self.findings:  # a rule of another release leaves none
            found = self.findings[-1].found
            if (rule.id, *found) not in _worded:
                rule.text.format(**found), rule.advice.format(**found)
                _worded.add((rule.id, *found))

    owner.report = noted


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    _seen.update(getattr(node, "workeroutput", {}).get("rules", ()))


def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workeroutput"):  # a process of pytest-xdist: its controller adds up
        config.workeroutput["rules"] = sorted(_seen)
    elif config.getoption("--every-rule") and _missing() and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--every-rule"):
        missing = _missing()
        terminalreporter.write_line(
            f"{len(catalogue()) - len(missing)} of {len(catalogue())} rules provoked"
            + (f"; by no test: {', '.join(missing)}" if missing else "")
        )


def _missing():
    return sorted(catalogue().keys() - _seen)
