"""Go programs: they work, or the trace names the call at which they stop."""

import re

from ph.testing.vm import ph_run


def check_trace_names_the_call_that_stops_it():
    done = ph_run(['--trace', '/usr/bin/golang-petname'], timeout=30)
    errors = done.stderr.decode(errors='replace')
    if done.status == 0:
        return
    assert re.search(r'clone3?\(.*\) = -?\d* ?(ENOSYS|-38)', errors), errors[-3000:]
