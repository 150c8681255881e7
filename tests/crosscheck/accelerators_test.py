#!/usr/bin/env python3
"""scripts/crosscheck accelerators with a made-up clpeak and a made-up assay, whose figures are known."""
import contextlib
import io
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = ROOT / "scripts" / "crosscheck"
sys.path.insert(0, str(ROOT / "scripts"))

from crosscheck_parts import accelerators, failures  # noqa: E402 (only now is it found)

GB = 1e9
# The harmonic mean of assay's two samples, the second a third of the first, is half of the first.
HALF = 0.5


class Crosscheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-crosscheck-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("clpeak", "assay"):
            wrapper = self.folder / name
            tool = HERE / "made_up_clpeak.py"
            wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -B "{tool}" {name} "$@"\n',
                               encoding="utf-8")
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self.plan()

    def plan(self, device=40 * GB, host=50 * GB, clpeak=10 * GB, assay_more=None, clpeak_more=None):
        plan = {"assay": {"figures": {"opencl:0": device, "opencl:1": device, "cpu:0": host}, **(assay_more or {})},
                "clpeak": {"figures": clpeak, **(clpeak_more or {})}}
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def arguments(self, *arguments):
        return ["--rounds", "1", "--binary", str(self.folder / "assay"), "--clpeak", str(self.folder / "clpeak"),
                *arguments]

    def environment(self):
        return {**os.environ, "MADE_UP": str(self.folder)}

    def document(self, *arguments):
        """The JSON and the exit status; within this process, which is quicker."""
        output = io.StringIO()
        with (unittest.mock.patch.dict(os.environ, self.environment()), contextlib.redirect_stdout(output),
              contextlib.redirect_stderr(io.StringIO())):
            status = accelerators.run(self.arguments("--json", "-", *arguments))
        return json.loads(output.getvalue()), status

    def calls(self):
        return [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]

    def test_a_ratio_is_of_the_same_quantity_and_the_peers_best_form_on_that_device(self):
        document, status = self.document("--cases", "read")
        self.assertEqual(status, 0)
        row = document["cases"][0]["rows"][0]
        self.assertAlmostEqual(row["assay"], 40 * GB * HALF)
        self.assertAlmostEqual(row["peer"], 20 * GB, msg="the better of the two widths, of that device alone")
        self.assertAlmostEqual(row["ratio"], 1.0)

    def test_copies_are_held_against_the_copy_of_their_direction(self):
        document, _ = self.document("--cases", "to_device,to_host")
        self.assertAlmostEqual(document["cases"][0]["rows"][0]["peer"], 10 * GB)
        self.assertAlmostEqual(document["cases"][1]["rows"][0]["peer"], 20 * GB)

    def test_a_device_on_the_cpu_is_held_against_the_cpus_own_bandwidth(self):
        document, status = self.document("--cases", "host_read")
        self.assertAlmostEqual(document["cases"][0]["rows"][0]["ratio"], 0.8)
        self.assertEqual(status, 1, "below 0.9")
        self.assertEqual({call[call.index("--json") + 3].split("=")[1] for call in self.calls()},
                         {"opencl:0", "cpu:0"})

    def test_a_card_is_not_compared_with_the_cpus_memory(self):
        document, status = self.document("--cases", "host_read", "--device", "opencl:1")
        self.assertEqual(document["cases"][0]["status"], "skipped")
        self.assertEqual(status, 3)

    def test_below_its_goal_is_said_and_is_the_exit_status(self):
        self.plan(device=20 * GB)
        document, status = self.document("--cases", "gemm_f32")
        self.assertEqual(document["cases"][0]["rows"][0]["verdict"], "outside")
        self.assertEqual(status, 1)

    def test_what_cannot_be_had_is_a_case_with_its_reason(self):
        for behave, expected in (("broken", "no platform"), ("rubbish", "no XML"), ("other device", "made-cpu-device")):
            with self.subTest(behave):
                self.plan(clpeak_more={"behave": behave})
                document, status = self.document("--cases", "read")
                self.assertEqual(document["cases"][0]["status"], "failed")
                self.assertIn(expected, document["cases"][0]["reason"])
                self.assertEqual(status, 4)
        self.plan(assay_more={"behave": "skipped"})
        document, status = self.document("--cases", "read")
        self.assertIn("not on this machine", document["cases"][0]["reason"])
        self.assertEqual(status, 3)

    def test_unusable_arguments_are_one_line_and_exit_2(self):
        for arguments, expected in ((["--device", "cuda:0"], "opencl:0"), (["--device", "opencl:7"], "opencl:1"),
                                    (["--cases", "write"], "gemm_f32")):
            with self.subTest(arguments):
                finished = subprocess.run([sys.executable, "-B", str(SCRIPT), "accelerators",
                                           *self.arguments(*arguments)], env=self.environment(),
                                          capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(finished.returncode, failures.BadInput.exit_status)
                self.assertEqual(len(finished.stderr.strip().splitlines()), 1, finished.stderr)
                self.assertIn(expected, finished.stderr)


if __name__ == "__main__":
    unittest.main()
