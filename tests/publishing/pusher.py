"""A publishing verb in a process of its own, to be killed: `pusher.py BASE_URL VERB [TITLE]`."""

import sys

from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.prune import prune
from tests.publishing.sample import client, publish, release, resources, rolled_back


def pruned(base_url, *, delete):
    """Prune all but the first two resources of the sample."""
    with client(base_url) as connected:
        plan = make_plan(release(*resources()[:2]), connected)
        return prune(plan, connected, delete=delete)


VERBS = {
    "push": lambda base_url, title: publish(base_url, release(*resources(title))),
    "retire": lambda base_url: pruned(base_url, delete=False),
    "delete": lambda base_url: pruned(base_url, delete=True),
    "rollback": rolled_back,
}

if __name__ == "__main__":
    base_url, verb, *more = sys.argv[1:]
    sys.exit(0 if VERBS[verb](base_url, *more).is_complete else 1)
