#!/usr/bin/env python3
"""What a preset's tests came to, from the JUnit files that ctest wrote: summary.py PRESET FIRST [SECOND].

SECOND is the run of those alone that failed in FIRST. A test that passes only there is unsteady: it is named, with what it
said, but does not fail the run, for a shared machine can starve any test of its time once. A skip is never a pass: it is
named, and fails the run where CI=true. Exits 0 when all is well, 1 when not."""

import os
import sys
import xml.etree.ElementTree as ElementTree

LINES_SHOWN = 25


def cases(path):
    return {case.get("name"): case for case in ElementTree.parse(path).getroot().iter("testcase")}


def named(found, *statuses):
    return [name for name, case in found.items() if case.get("status") in statuses]


def said(case):
    lines = (case.findtext("system-out") or "").strip().splitlines()
    return "".join(f"    {line}\n" for line in lines[-LINES_SHOWN:])


def main(preset, first, second=None):
    ran = cases(first)
    again = cases(second) if second else {}
    skipped = named(ran, "notrun", "disabled")
    failed_once = named(ran, "fail")
    unsteady = [name for name in failed_once if name in again and again[name].get("status") == "run"]
    failed = [name for name in failed_once if name not in unsteady]
    for title, names in (("skipped", skipped), ("passed only when run again", unsteady), ("FAILED", failed)):
        for name in names:
            print(f"{preset}: {title}: {name}\n{said(ran[name])}", end="")
    passed = len(ran) - len(failed) - len(skipped)
    print(f"{preset}: {passed} passed ({len(unsteady)} only when run again), {len(failed)} failed, {len(skipped)} skipped")
    if not ran:
        print("no test ran")
    if skipped and os.environ.get("CI") == "true":
        print("no test may be skipped in CI")
    return 1 if failed or not ran or (skipped and os.environ.get("CI") == "true") else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
