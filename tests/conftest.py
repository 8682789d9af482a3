"""What holds for every test process."""

import signal

# A shell starts its background jobs with SIGINT ignored, and what they start inherits that: under
# such a CI no program could be interrupted. With a handler here, programs start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
