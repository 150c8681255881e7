"""Runs a program, and tells what the whole of it cost."""
import dataclasses
import os
import signal
import subprocess
import tempfile
import threading

from .failures import CannotWork


@dataclasses.dataclass
class Finished:
    status: int           # the exit status, or the negative number of a signal
    output: str
    errors: str
    cpu_seconds: float    # user and system, of all threads, the kernel's I/O workers and children among them
    peak_bytes: int       # resident; never less than this script's own size, from which it was started

    def last_error(self) -> str:
        """The line that most likely says why; assay's progress is none."""
        lines = [line.strip() for line in self.errors.splitlines()]
        lines = [line for line in lines if line and not line.startswith("progress ")]
        return lines[-1] if lines else "it said nothing"


def run(command: list[str], limit_seconds: float) -> Finished:
    """Runs to the end; kills it, and all that it started, after the limit or when an exception comes."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            # A session of its own: Ctrl-C reaches this script alone, which then ends the program in order.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                       start_new_session=True)
        except OSError as error:
            raise CannotWork(f"{command[0]} cannot be started: {error.strerror}") from error
        late = threading.Event()

        def give_up():
            late.set()
            _kill_group(process.pid)
        timer = threading.Timer(limit_seconds, give_up)
        timer.start()
        waited = False
        try:
            _, state, usage = os.wait4(process.pid, 0)
            waited = True
        finally:
            timer.cancel()
            if not waited:
                _kill_group(process.pid)
                os.waitpid(process.pid, 0)
            process.returncode = 0  # it is reaped: Popen must not look for it
        if late.is_set():
            raise CannotWork(f"{command[0]} did not end within {limit_seconds:.0f} s")
        output.seek(0)
        errors.seek(0)
        return Finished(os.waitstatus_to_exitcode(state), output.read().decode(errors="replace"),
                        errors.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime,
                        usage.ru_maxrss * 1024)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass
