#!/usr/bin/env python3
"""scripts/crosscheck storage with a made-up fio and a made-up assay, whose figures are known."""
import contextlib
import io
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = ROOT / "scripts" / "crosscheck"
sys.path.insert(0, str(ROOT / "scripts"))

from crosscheck_parts import failures, pairs, report, storage  # noqa: E402 (only now is it found)

SAME = {"iops": 1000, "latency": 100e-6, "cpu": 1e-6}
FASTER = {"iops": 1200, "latency": 80e-6, "cpu": 1e-6}


class Crosscheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-crosscheck-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        for name in ("fio", "assay"):
            wrapper = self.folder / name
            wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -B "{HERE}/made_up_tool.py" {name} "$@"\n',
                               encoding="utf-8")
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self.plan(assay=FASTER, fio=SAME)

    def plan(self, assay, fio, assay_does=None, fio_does=None):
        plan = {"assay": {"figures": assay, "behave": assay_does}, "fio": {"figures": fio, "behave": fio_does}}
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def command(self, *arguments):
        return [sys.executable, "-B", str(SCRIPT), "storage", "--scratch", str(self.scratch), "--size", "1M",
                "--seconds", "1", "--binary", str(self.folder / "assay"), "--fio", str(self.folder / "fio"), *arguments]

    def environment(self):
        return {**os.environ, "MADE_UP": str(self.folder)}

    def run_it(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment(), capture_output=True, text=True,
                              timeout=60, check=False)

    def document(self, *arguments):
        """The JSON and how it ended; within this process, which is quicker."""
        output, errors = io.StringIO(), io.StringIO()
        with (unittest.mock.patch.dict(os.environ, self.environment()), contextlib.redirect_stdout(output),
              contextlib.redirect_stderr(errors)):
            status = storage.run(self.command("--json", "-", *arguments)[4:])
        return json.loads(output.getvalue()), subprocess.CompletedProcess(arguments, status, stderr=errors.getvalue())

    def calls(self):
        return [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]

    def measured_calls(self):
        return [call for call in self.calls() if call[0] == "assay" or "--time_based" in call]

    def row(self, document, quantity, case=0):
        return next(row for row in document["cases"][case]["rows"] if row["quantity"] == quantity)

    def assert_one_line(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_ratios_are_assays_figure_divided_by_fios_and_all_within_their_goals_is_0(self):
        document, done = self.document("--cases", "latency", "--rounds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(document["schema"], "assay.crosscheck/1")
        self.assertEqual(document["exit_status"], 0)
        self.assertAlmostEqual(self.row(document, "iops")["ratio"], 1.2)
        for quantity in ("mean", "p50", "p99"):
            self.assertAlmostEqual(self.row(document, quantity)["ratio"], 0.8)
        self.assertAlmostEqual(self.row(document, "p99")["peer"], 200e-6)
        self.assertIsNone(self.row(document, "mean")["verdict"])
        self.assertEqual(self.row(document, "iops")["goal"], {"at_least": 0.98})

    def test_a_figure_outside_its_goal_is_1_and_says_which(self):
        self.plan(assay={**SAME, "iops": 970}, fio=SAME)
        document, done = self.document("--cases", "plain", "--rounds", "1")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.row(document, "iops")["verdict"], "outside")
        self.assertEqual(self.row(document, "p50")["verdict"], "ok")

    def test_the_median_of_the_pairs_ratios_decides_not_the_ratio_of_the_medians(self):
        # The machine gets slower and slower, for both alike; one run of assay is disturbed.
        self.plan(assay=[{**SAME, "iops": iops} for iops in (1000, 10, 500)],
                  fio=[{**SAME, "iops": iops} for iops in (1000, 800, 500)])
        document, _ = self.document("--cases", "plain", "--rounds", "3")
        row = self.row(document, "iops")
        self.assertAlmostEqual(row["ratio"], 1.0)
        self.assertEqual(row["pairs"], [[1000, 1000], [10, 800], [500, 500]])
        self.assertEqual((row["assay"], row["peer"]), (500, 800))
        self.assertAlmostEqual(row["range"][0], 0.0125)

    def test_runs_alternate_and_so_does_who_goes_first(self):
        document, _ = self.document("--cases", "latency", "--rounds", "3")
        order = ["assay", "fio", "fio", "assay", "assay", "fio"]
        self.assertEqual([call[0] for call in self.measured_calls()], order)
        self.assertEqual(document["cases"][0]["order"], [who.replace("fio", "peer") for who in order])
        self.assertEqual([next(part for part in call if "seed=" in part).split("=")[1]
                          for call in self.measured_calls()], ["1", "1", "2", "2", "3", "3"])

    def test_cpu_of_fio_is_that_of_its_process_less_its_start(self):
        self.plan(assay={**SAME, "cpu": 50e-6}, fio={**SAME, "operations": 1000, "burn": 0.1, "usr_cpu": 10})
        document, _ = self.document("--cases", "plain", "--rounds", "1")
        self.assertAlmostEqual(self.row(document, "cpu")["peer"], 100e-6, delta=25e-6)
        self.assertGreater(document["cases"][0]["details"]["fio_start_cpu_seconds"], 0)

    def test_where_the_two_ways_to_tell_cpu_time_differ_a_warning_says_so(self):
        self.plan(assay=SAME, fio={**SAME, "burn": 0.1, "usr_cpu": 50})
        document, done = self.document("--cases", "plain", "--rounds", "1")
        self.assertTrue(any("CPU time of fio" in text for text in document["cases"][0]["warnings"]))
        self.assertIn("warning", done.stderr)

    def test_assays_cpu_time_has_a_second_way_but_where_it_tries_its_engines_as_the_method_says(self):
        self.plan(assay={**SAME, "operations": 1000}, fio=SAME)
        document, _ = self.document("--cases", "plain,best", "--rounds", "1")
        has = {case["name"]: "cpu_second_way" in case["details"]["assay_runs"][0] for case in document["cases"]}
        self.assertEqual(has, {"plain": True, "best": False})
        tries = [kind.name for kind in storage.KINDS if kind.engine == "auto"]
        self.assertIn("assay where it tries its engines first (" + ", ".join(tries) + ")", document["method"])

    def test_a_rate_that_contradicts_the_latency_is_told(self):
        self.plan(assay={**SAME, "iops": 128 / 100e-6 * 1.2}, fio={**SAME, "iops": 128 / 100e-6})
        document, _ = self.document("--cases", "best", "--rounds", "1")
        told = [text for text in document["cases"][0]["warnings"] if "in flight" in text]
        self.assertEqual(len(told), 1)
        self.assertIn("of assay make 154 operations", told[0])

    def test_both_get_the_equal_job(self):
        self.run_it("--cases", "throughput", "--rounds", "1", "--queue-depth", "16", "--jobs", "3")
        assay, fio = sorted(self.measured_calls())
        for setting in ("engine=libaio", "queue_depth=16", "jobs=3", "batch=4", "seconds=1", "size=1048576"):
            self.assertIn(setting, assay)
        for argument in ("--ioengine=libaio", "--iodepth=16", "--numjobs=3", "--iodepth_batch_complete_min=4",
                         "--iodepth_batch_submit=16", "--runtime=1s", "--size=1048576", "--direct=1", "--readonly"):
            self.assertIn(argument, fio)
        self.assertEqual([part for part in assay if part.startswith("target=")][0][len("target="):],
                         [part for part in fio if part.startswith("--filename=")][0][len("--filename="):])

    def test_a_named_target_is_only_read(self):
        target = self.folder / "named:file"
        target.write_bytes(os.urandom(1 << 20))
        before = target.read_bytes()
        done = self.run_it("--target", str(target), "--rounds", "1", "--cases", "best,latency",
                           "--json", str(self.folder / "out.json"))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        for call in self.calls():
            if call[0] == "fio":
                self.assertIn("--readonly", call)
                self.assertIn("--filename=" + str(target).replace(":", "\\:"), call)
            else:
                self.assertIn(f"target={target}", call)
                self.assertNotIn("--allow-destroy", call)
        self.assertEqual(target.read_bytes(), before)
        document = json.loads((self.folder / "out.json").read_text(encoding="utf-8"))
        self.assertEqual([case["name"] for case in document["cases"]], ["best", "latency"])

    def test_which_cases_are_run_depends_on_the_target(self):
        def names(target):
            return [kind.name for kind in storage.cases_of(None, target)]
        reads = ["throughput", "plain", "best", "latency", "io_uring"]
        self.assertEqual(names(None), reads + ["write", "write_latency"])
        self.assertEqual(names(storage.Target("/dev/nvme0n1", 1 << 30, "disk", True)), reads)
        self.assertEqual(names(storage.Target("/dev/zram0", 1 << 30, "ram disk", True)), ["ram_disk"])

    def test_writes_go_to_one_file_of_its_own_that_is_filled_anew_before_each_run(self):
        self.run_it("--cases", "write_latency", "--rounds", "2")
        calls = [call for call in self.calls() if "--rw=write" not in call]
        files = {call[call.index("--scratch") + 1] if call[0] == "assay" else
                 next(part for part in call if part.startswith("--filename=")).split("=", 1)[1] for call in calls}
        self.assertEqual(len(files), 1)
        self.assertTrue(files.pop().startswith(str(self.scratch / "assay-crosscheck-")))
        self.assertEqual(list(self.scratch.iterdir()), [])

        def kind(call):
            if call[0] == "fio":
                return "fio" if "--time_based" in call else "start"
            return "fill" if "steady_seconds=0.1" in call else "assay"
        self.assertEqual([kind(call) for call in calls], ["fill", "start", "start", "start", "fill", "assay", "fill",
                                                          "fio", "fill", "fio", "fill", "assay"])
        for call in (call for call in calls if call[0] == "fio"):
            # By its first block assay knows the file as one that it may write over.
            self.assertIn("--offset=4096", call)
            self.assertIn("--size=1044480", call)

    def test_the_json_holds_both_command_lines_the_versions_and_the_method(self):
        document, _ = self.document("--cases", "best", "--rounds", "1")
        calls = self.measured_calls()
        commands = document["cases"][0]["commands"]
        self.assertEqual(commands["assay"][1:], calls[0][1:])
        self.assertEqual(commands["peer"][1:], calls[1][1:])
        self.assertEqual(document["versions"]["peer"], "fio 1.0 made up")
        self.assertIn("wait4", document["method"])
        self.assertEqual(document["limits"][0]["verdict"], "ok")

    def test_the_table_fits_80_columns(self):
        done = self.run_it("--rounds", "1", "--cases", "best,latency,write_latency")
        lines = done.stdout.splitlines()
        self.assertGreater(len(lines), 15)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertRegex(done.stdout, r"IOPS +1\.20 K +1\.00 K +1\.200 +1\.20–1\.20 +≥ 0\.98  ok")

    def test_others_on_the_machine_are_told(self):
        self.plan(assay={**SAME, "conditions": {"foreign_cpu": 0.4}}, fio=SAME)
        document, _ = self.document("--cases", "plain", "--rounds", "1")
        self.assertIn("40 %", document["warnings"][0])

    def test_bad_input_is_2_and_one_line(self):
        self.assert_one_line(self.run_it("--cases", "sideways"), 2, "sideways", "plain")
        other = subprocess.run([sys.executable, "-B", str(SCRIPT), "sideways"], capture_output=True, text=True,
                               check=False)
        self.assert_one_line(other, 2, "sideways", "storage")
        for arguments, word in ((("--rounds", "0"), "accepted"), (("--size", "lots"), "lots"),
                                (("--target", "/none/such"), "/none/such"), (("--target", "/dev/null"), "neither"),
                                (("--target", "/a,b"), "','"), (("--scratch", "/none"), "/none"),
                                (("--seconds", "nan"), "nan"), (("--size", "900T"), "free"),
                                (("--size", "4K"), "in flight"), (("--json", "/none/such/file"), "--json"),
                                (("--binary", "/none"), "--binary"), (("--cases", "ram_disk"), "RAM disk"),
                                (("--sideways",), "--sideways"), (("--target", str(SCRIPT), "--size", "1G"), "only"),
                                (("--target", str(SCRIPT), "--size", "1K", "--cases", "write"), "only read")):
            with self.subTest(arguments=arguments):
                with self.assertRaises(failures.BadInput) as raised:
                    storage.run(self.command(*arguments)[4:])
                self.assertIn(word, str(raised.exception))
                self.assertNotIn("\n", str(raised.exception))
        self.assertFalse((self.folder / "calls").exists())

    def test_what_assay_calls_unusable_is_2_with_its_words(self):
        self.plan(SAME, SAME, assay_does="unusable")
        done = self.run_it("--cases", "plain", "--rounds", "1")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines()[-1], "crosscheck: the disk said no")
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_a_tool_that_cannot_work_is_4_and_no_file_stays(self):
        for assay_does, fio_does, word in (("failed", None, "not on this machine"),
                                           (None, "broken", "the disk said no"),
                                           (None, "rubbish", "fio ended with 0"), ("rubbish", None, "no outcome")):
            with self.subTest(assay=assay_does, fio=fio_does):
                self.plan(SAME, SAME, assay_does, fio_does)
                document, done = self.document("--cases", "plain", "--rounds", "1")
                self.assertEqual(done.returncode, 4)
                self.assertEqual(document["cases"][0]["status"], "failed")
                self.assertIn(word, document["cases"][0]["reason"])
                self.assertEqual(list(self.scratch.iterdir()), [])

    def test_after_a_case_that_failed_the_others_go_on(self):
        self.plan(SAME, SAME, fio_does="broken")
        document, _ = self.document("--cases", "plain,latency", "--rounds", "1")
        self.assertEqual([case["status"] for case in document["cases"]], ["failed", "failed"])

    def test_a_case_that_this_machine_cannot_do_is_never_a_success(self):
        self.plan(FASTER, SAME, assay_does="skipped")
        document, done = self.document("--cases", "io_uring", "--rounds", "1")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(document["cases"][0]["status"], "skipped")
        self.assertIn("skipped: assay: not on this machine", done.stderr)

    def test_interrupted_it_ends_its_tool_removes_its_file_and_is_130(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                (self.folder / "calls").unlink(missing_ok=True)
                self.plan(SAME, SAME, assay_does="hang")
                process = subprocess.Popen(self.command("--cases", "plain"), env=self.environment(),
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                deadline = time.monotonic() + 30
                while time.monotonic() < deadline and not ((self.folder / "calls").exists() and self.measured_calls()):
                    time.sleep(0.01)
                self.assertEqual(len(list(self.scratch.iterdir())), 1)
                process.send_signal(number)
                _, errors = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130)
                self.assertEqual(errors.splitlines()[-1], f"crosscheck: interrupted by {signal.Signals(number).name}")
                self.assertEqual(list(self.scratch.iterdir()), [])
                self.assertEqual(self.still_running(), [])

    def still_running(self):
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"MADE_UP={self.folder}".encode() in entry.read_bytes():
                    found.append(entry.parent.name)
            except OSError:
                pass  # ended meanwhile, or another user's
        return found


class Parts(unittest.TestCase):
    def test_scaled_has_three_figures_and_a_prefix(self):
        for value, unit, text in ((48.1e-6, "second", "48.1 µs"), (1.36e-3, "second", "1.36 ms"),
                                  (9.5e-7, "second", "950 ns"), (830000, "operation/second", "830 K"),
                                  (950, "operation/second", "950"),
                                  (64 << 20, "byte", "64.0 MiB")):
            self.assertEqual(report.scaled(value, unit), text)

    def test_a_bound_itself_is_met(self):
        self.assertTrue(pairs.Goal(at_least=0.98).met(0.98))
        self.assertTrue(pairs.Goal(at_most=1.03).met(1.03))
        self.assertFalse(pairs.Goal(at_least=0.98).met(0.979))
        self.assertFalse(pairs.Goal(at_most=1.03).met(1.031))


if __name__ == "__main__":
    unittest.main()
