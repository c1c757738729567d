"""`python -m integration_tests.snapshots`: store the snapshots of this version, or of one named."""

import sys

from integration_tests.snapshots import store_all
from integration_tests.versions import current_version

store_all(sys.argv[1] if len(sys.argv) > 1 else current_version())
