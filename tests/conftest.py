"""What all tests share."""

import os

# Tests run side by side: threads of torch that spin while they wait would take the cores from each other. Read when torch
# is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
