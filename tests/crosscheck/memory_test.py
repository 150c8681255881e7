#!/usr/bin/env python3
"""scripts/crosscheck memory with a made-up likwid-bench and a made-up assay, whose figures are known."""
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

from crosscheck_parts import failures, memory, report  # noqa: E402 (only now is it found)

GB = 1e9
# The harmonic mean of assay's two samples, the second a third of the first, is half of the first.
HALF = 0.5


class Crosscheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-crosscheck-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("likwid-bench", "assay"):
            wrapper = self.folder / name
            tool = HERE / "made_up_bandwidth.py"
            wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -B "{tool}" {name} "$@"\n',
                               encoding="utf-8")
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self.plan()

    def plan(self, assay=20 * GB, likwid=10 * GB, assay_more=None, likwid_more=None):
        plan = {"assay": {"figures": assay, **(assay_more or {})},
                "likwid-bench": {"figures": likwid, **(likwid_more or {})}}
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def arguments(self, *arguments):
        return ["--bytes", "3000000", "--rounds", "1", "--isa", "portable", "--binary", str(self.folder / "assay"),
                "--likwid-bench", str(self.folder / "likwid-bench"), *arguments]

    def environment(self):
        return {**os.environ, "MADE_UP": str(self.folder)}

    def run_it(self, *arguments):
        return subprocess.run([sys.executable, "-B", str(SCRIPT), "memory", *self.arguments(*arguments)],
                              env=self.environment(), capture_output=True, text=True, timeout=60, check=False)

    def document(self, *arguments):
        """The JSON and the exit status; within this process, which is quicker."""
        output = io.StringIO()
        with (unittest.mock.patch.dict(os.environ, self.environment()), contextlib.redirect_stdout(output),
              contextlib.redirect_stderr(io.StringIO())):
            status = memory.run(self.arguments("--json", "-", *arguments))
        return json.loads(output.getvalue()), status

    def calls(self):
        return [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]

    def row(self, document, quantity, case=0):
        return next(row for row in document["cases"][case]["rows"] if row["quantity"] == quantity)

    def test_ratios_are_bytes_over_time_of_both_in_the_same_unit(self):
        document, status = self.document("--cases", "read")
        self.assertEqual(status, 0)
        self.assertAlmostEqual(self.row(document, "plain")["assay"], 20 * GB * HALF)
        self.assertAlmostEqual(self.row(document, "plain")["peer"], 10 * GB)
        self.assertAlmostEqual(self.row(document, "plain")["ratio"], 1.0)
        self.assertAlmostEqual(self.row(document, "best")["ratio"], 2.0)
        self.assertAlmostEqual(document["cases"][0]["details"]["peer_runs"][0]["seconds"], 0.7910638)
        self.assertIsNone(self.row(document, "plain")["goal"])
        self.assertEqual(self.row(document, "best")["goal"], {"at_least": 1.08})

    def test_a_figure_outside_its_goal_is_1(self):
        self.plan(assay=19 * GB)
        document, status = self.document("--cases", "copy_nt")
        self.assertEqual(status, 1)
        self.assertEqual(self.row(document, "plain")["verdict"], "outside")
        self.assertIsNone(self.row(document, "best")["verdict"])

    def test_both_get_the_same_kernel_size_threads_and_cpus_and_take_turns(self):
        self.plan(likwid_more={"second_cpu": 1})
        document, _ = self.document("--cases", "triad_nt", "--rounds", "2", "--seconds", "3")
        calls = self.calls()
        self.assertEqual([call[0] for call in calls],
                         ["assay", "likwid-bench", "likwid-bench", "assay"] + ["assay"] * 2)
        self.assertEqual(calls[1][1:], ["-t", "stream_mem_sse", "-W", "N:9000kB:2", "-s", "3"])
        for setting in ("kernel=triad_nt", "bytes=3000000", "isa=portable", "threads=2", "scaling=no"):
            self.assertIn(setting, calls[0])
        self.assertEqual(document["cpus"], [0, 1])
        self.assertEqual(document["cases"][0]["commands"]["assay"][:3], ["taskset", "-c", "0,1"])

    def test_every_case_names_a_kernel_that_moves_as_many_bytes(self):
        document, status = self.document()
        self.assertEqual(status, 0)
        self.assertEqual([case["name"] for case in document["cases"]],
                         ["read", "write", "write_nt", "copy", "copy_nt", "triad", "triad_nt"])
        kernels = [call[call.index("-t") + 1] for call in self.calls() if call[0] == "likwid-bench"]
        self.assertEqual(kernels, ["load_sse", "store_sse", "store_mem_sse", "copy_sse", "copy_mem_sse", "stream_sse",
                                   "stream_mem_sse"])

    def test_a_peer_that_counts_other_bytes_is_refused(self):
        self.plan(likwid_more={"behave": "counts otherwise"})
        document, status = self.document("--cases", "copy")
        self.assertEqual(status, 4)
        self.assertIn("counts 24 bytes an element, assay 16", document["cases"][0]["reason"])

    def test_two_runs_that_lie_apart_are_1(self):
        self.plan(assay=[20 * GB, 20 * GB, 20.5 * GB])
        document, status = self.document("--cases", "copy")
        self.assertEqual(status, 1)
        self.assertEqual(self.row(document, "plain")["verdict"], "ok")
        self.assertAlmostEqual(document["limits"][0]["value"], 0.025)
        self.assertEqual(document["limits"][0]["verdict"], "outside")

    def test_the_size_is_assays_own_unless_it_is_given(self):
        given = self.arguments("--cases", "read")
        with (unittest.mock.patch.dict(os.environ, self.environment()), contextlib.redirect_stdout(io.StringIO()),
              contextlib.redirect_stderr(io.StringIO())):
            memory.run(given[2:])
        self.assertIn("kernel=triad", self.calls()[0])
        self.assertIn("bytes=5000000", self.calls()[1])

    def test_the_table_fits_80_columns(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertRegex(done.stdout, r"plain +10\.0 GB/s +10\.0 GB/s +1\.000 +1\.00–1\.00 +≥ 0\.98  ok")
        self.assertIn("lie apart by: 0.00 %", done.stdout)

    def test_others_on_the_machine_are_told(self):
        self.plan(assay_more={"conditions": {"foreign_cpu": 0.4}})
        document, _ = self.document("--cases", "read")
        self.assertIn("40 %", document["warnings"][0])

    def test_a_tool_that_cannot_work_is_4_and_one_that_skips_3(self):
        for assay, likwid, status, word in (("failed", None, 4, "not on this machine"),
                                            ("skipped", None, 3, "not on this machine"),
                                            (None, "broken", 4, "Unknown test case"),
                                            (None, "rubbish", 4, "printed no"), ("rubbish", None, 4, "no outcome")):
            with self.subTest(assay=assay, likwid=likwid):
                self.plan(assay_more={"behave": assay}, likwid_more={"behave": likwid})
                document, ended = self.document("--cases", "read,copy")
                self.assertEqual(ended, status)
                for case in document["cases"]:
                    self.assertIn(word, case["reason"])

    def test_bad_input_is_2_and_one_line(self):
        for arguments, word in ((("--cases", "sideways"), "accepted: read"), (("--rounds", "0"), "accepted"),
                                (("--bytes", "lots"), "lots"), (("--threads", "2"), "accepted: 1 to 1"),
                                (("--isa", "mmx"), "mmx"), (("--json", "/none/such/file"), "--json"),
                                (("--likwid-bench", "/none"), "--likwid-bench"), (("--sideways",), "--sideways")):
            with self.subTest(arguments=arguments):
                with (unittest.mock.patch.dict(os.environ, self.environment()),
                      self.assertRaises(failures.BadInput) as raised):
                    memory.run(self.arguments(*arguments))
                self.assertIn(word, str(raised.exception))
                self.assertNotIn("\n", str(raised.exception))
        self.assertFalse((self.folder / "calls").exists())


class Parts(unittest.TestCase):
    def test_the_widest_instruction_set_is_what_both_have(self):
        for flags, isa in (("sse2", "portable"), ("sse2 avx2 fma f16c", "avx2"), ("avx2 fma", "portable"),
                           ("avx2 fma f16c avx512f avx512bw avx512dq avx512vl", "avx512"),
                           ("avx2 fma f16c avx512f", "avx2")):
            self.assertEqual(memory.widest_isa(f"model name: x\nflags\t\t: fpu {flags}\n"), isa)
        self.assertEqual(memory.widest_isa("Features: asimd"), "portable")

    def test_a_wider_instruction_set_than_the_cpu_has_is_refused(self):
        with unittest.mock.patch.object(memory, "widest_isa", return_value="avx2"):
            self.assertEqual(memory.isa_of("auto"), "avx2")
            self.assertEqual(memory.isa_of("portable"), "portable")
            with self.assertRaisesRegex(failures.BadInput, "accepted: avx2, portable"):
                memory.isa_of("avx512")

    def test_another_architecture_is_refused_in_one_line(self):
        arm = unittest.mock.Mock(machine="aarch64")
        with unittest.mock.patch.object(memory.os, "uname", return_value=arm):
            for asked in ("auto", "portable", "avx2"):
                with self.assertRaisesRegex(failures.CannotWork, "^[^\\n]*aarch64[^\\n]*x86-64[^\\n]*$"):
                    memory.isa_of(asked)

    def test_rates_and_shares_are_scaled(self):
        for value, unit, text in ((34.6e9, "byte/second", "34.6 GB/s"), (950e6, "byte/second", "950 MB/s"),
                                  (0.0123, "ratio", "1.23 %")):
            self.assertEqual(report.scaled(value, unit), text)


if __name__ == "__main__":
    unittest.main()
