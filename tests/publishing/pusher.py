"""A push in a process of its own, to be killed: `pusher.py BASE_URL TITLE`."""

import sys

from tests.publishing.sample import publish, resources, subject

if __name__ == "__main__":
    report = publish(sys.argv[1], subject(*resources(sys.argv[2])))
    sys.exit(0 if report.is_complete else 1)
