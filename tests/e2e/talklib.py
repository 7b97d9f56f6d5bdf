# SPDX-License-Identifier: Apache-2.0
"""Programs whose words are read as they come. A reader of lines may have taken in more than the line that it
returned, of which communicate() knows nothing; and nobody waits for a line, or for an end, for ever.

    proc = lab.start(..., stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = line_of(proc.stdout, proc)  # "" at its end
    out, err = rest_of(proc)            # what came since, to its end; proc.returncode is known then
"""
import contextlib
import threading
from concurrent import futures

import lib


@contextlib.contextmanager
def bounded(proc):
    """Ends proc where what is done in here takes too long: then all that it says has an end."""
    late = threading.Timer(lib.PATIENCE, proc.kill)
    late.start()
    try:
        yield
    finally:
        late.cancel()


def line_of(stream, proc):
    with bounded(proc):
        return stream.readline()


def rest_of(proc):
    """Both at the same time: a pipe that nobody reads would stop it."""
    with bounded(proc), futures.ThreadPoolExecutor(2) as pool:
        said = tuple(pool.map(lambda s: s and s.read(), (proc.stdout, proc.stderr)))
    proc.wait(lib.PATIENCE)
    return said
