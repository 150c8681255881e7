"""Why a crosscheck ends early, and with which exit status."""
import signal


class Failure(Exception):
    """Ends the crosscheck; its text is the one line that is printed."""
    exit_status = 4


class BadInput(Failure):
    exit_status = 2


class CannotWork(Failure):
    exit_status = 4


class Interrupted(Failure):
    exit_status = 130


class CaseFailed(Exception):
    """One tool could not do one case; the other cases go on."""


class CaseSkipped(Exception):
    """This machine cannot do the case."""


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def trap_signals() -> None:
    """Turns signals into an exception, so that whatever has to be cleaned up is, by `finally`."""
    def interrupt(number, _frame):
        # A second one must not interrupt the cleaning.
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")
    for one in SIGNALS:
        signal.signal(one, interrupt)
