#!/usr/bin/env python3
"""scripts/crosscheck compute with made-up peers and a made-up assay, whose figures are known."""
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

from crosscheck_parts import benchmarks, compute, cpu, failures, pairs, report  # noqa: E402 (only now is it found)

T = 1e12
# The harmonic mean of assay's two samples, the second a third of the first, is half of the first.
ASSAY = {"gemm.throughput": 20 * T, "gemm.ceiling": 36 * T, "quantized.gemv": 57e9, "memory.bandwidth": 60e9}
PEERS = {"gemm/int8/onednn": 5 * T, "gemm/bf16/onednn": 2 * T, "gemm/f32/onednn": 9 * T, "gemm/f32/openblas": 8 * T}
AMX = {"gemm.throughput": "amx", "gemm.ceiling": "amx"}
AVX512_FLAGS = "avx512f avx512bw avx512dq avx512vl avx512_vnni"


class Crosscheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-crosscheck-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("kernel_benchmarks", "assay"):
            wrapper = self.folder / name
            tool = HERE / "made_up_compute.py"
            wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -B "{tool}" {name} "$@"\n',
                               encoding="utf-8")
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self.plan()

    def plan(self, assay=None, peers=None, isa=None, assay_does=None, peers_do=None, **more):
        plan = {"assay": {"figures": {**ASSAY, **(assay or {})}, "behave": assay_does or {}, "isa": isa or AMX, **more},
                "kernel_benchmarks": {"figures": {**PEERS, **(peers or {})}, "behave": peers_do or {}}}
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def arguments(self, *arguments):
        return ["--rounds", "1", "--sizes", "2048", "--shapes", "14336x4096", "--threads", "1", "--binary",
                str(self.folder / "assay"), "--benchmarks", str(self.folder / "kernel_benchmarks"), *arguments]

    def environment(self):
        return {**os.environ, "MADE_UP": str(self.folder)}

    def command(self, *arguments):
        return [sys.executable, "-B", str(SCRIPT), "compute", *self.arguments(*arguments)]

    def run_it(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment(), capture_output=True, text=True,
                              timeout=60, check=False)

    def run_here(self, arguments, flags=AVX512_FLAGS):
        """What it printed and the exit status; within this process, which is quicker."""
        output = io.StringIO()
        with (unittest.mock.patch.dict(os.environ, self.environment()), contextlib.redirect_stdout(output),
              unittest.mock.patch.object(cpu, "cpuinfo", return_value=f"flags\t\t: fpu {flags}\n"),
              contextlib.redirect_stderr(io.StringIO())):
            status = compute.run(arguments)
        return output.getvalue(), status

    def document(self, *arguments, flags=AVX512_FLAGS):
        output, status = self.run_here(self.arguments("--json", "-", *arguments), flags)
        return json.loads(output), status

    def calls(self):
        return [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]

    def row(self, document, quantity, case=0):
        return next(row for row in document["cases"][case]["rows"] if row["quantity"] == quantity)

    def quantities(self, document, case=0):
        return [row["quantity"] for row in document["cases"][case]["rows"]]

    def test_ratios_are_operations_over_time_of_assay_divided_by_the_peers_and_the_ceilings(self):
        document, status = self.document("--cases", "int8")
        self.assertEqual(status, 0)
        self.assertEqual(self.quantities(document), ["onednn", "ceiling"])
        onednn, ceiling = document["cases"][0]["rows"]
        self.assertAlmostEqual(onednn["assay"] / T, 10)
        self.assertAlmostEqual(onednn["peer"] / T, 5)
        self.assertAlmostEqual(onednn["ratio"], 2)
        self.assertAlmostEqual(ceiling["ratio"], 20 / 36)
        self.assertEqual((onednn["goal"], ceiling["goal"]), ({"at_least": 1.5}, {"at_least": 0.55}))
        self.assertEqual((onednn["verdict"], ceiling["verdict"]), ("ok", "ok"))
        self.assertEqual(onednn["unit"], "operation/second")
        self.assertEqual(document["cases"][0]["details"]["onednn_runs"][0]["label"], "made up")

    def test_a_figure_outside_its_goal_is_1(self):
        self.plan(assay={"gemm.ceiling": 37 * T})
        document, status = self.document("--cases", "bf16")
        self.assertEqual(status, 1)
        self.assertEqual(self.row(document, "ceiling")["verdict"], "outside")
        self.assertEqual(self.row(document, "onednn")["verdict"], "ok")
        self.assertEqual(self.row(document, "onednn")["unit"], "flop/second")

    def test_f32_is_held_against_the_faster_of_two_peers_of_every_round(self):
        self.plan(peers={"gemm/f32/openblas": [8 * T, 10 * T], "gemm/f32/onednn": [10 * T, 8 * T]})
        document, status = self.document("--cases", "f32", "--rounds", "2")
        self.assertEqual(status, 0)
        self.assertEqual(self.quantities(document), ["openblas", "onednn", "best_peer", "ceiling"])
        self.assertAlmostEqual(self.row(document, "best_peer")["ratio"], 1)
        self.assertAlmostEqual(self.row(document, "openblas")["ratio"], 1.125)
        self.assertEqual([self.row(document, name)["goal"] for name in ("openblas", "onednn", "ceiling")], [None] * 3)
        self.plan(peers={"gemm/f32/onednn": 10.3 * T})
        document, status = self.document("--cases", "f32")
        self.assertEqual((status, self.row(document, "best_peer")["verdict"]), (1, "outside"))

    def test_vectors_are_held_against_the_memory(self):
        document, status = self.document("--cases", "gemv_int8,gemv_int4,gemv_int4_g128", "--shapes",
                                         "14336x4096,18432x7168")
        self.assertEqual(status, 0)
        self.assertEqual([case["name"] for case in document["cases"]],
                         [f"gemv_{numbers}_{shape}" for numbers in ("int8", "int4", "int4_g128")
                          for shape in ("14336x4096", "18432x7168")])
        self.assertEqual(self.quantities(document), ["reading", "memory"])
        row = self.row(document, "reading", 3)
        self.assertAlmostEqual(row["ratio"], 0.95)
        self.assertEqual((row["goal"], row["unit"]), ({"at_least": 0.9}, "byte/second"))
        self.assertIsNone(self.row(document, "memory", 3)["goal"])
        gemv = [call[3] for call in self.calls() if call[1] == "quantized.gemv"]
        for setting in ("format=int4_g128", "m=18432", "k=7168", "threads=1"):
            self.assertIn(setting, gemv[-1])
        memory = next(call[3] for call in self.calls() if call[1] == "memory.bandwidth")
        for word in ("kernel=read", "--quick", "threads=1"):
            self.assertIn(word, memory)
        self.plan(assay={"quantized.gemv": 53e9})
        self.assertEqual(self.document("--cases", "gemv_int8")[1], 1)

    def test_the_median_of_the_rounds_decides(self):
        self.plan(assay={"gemm.throughput": [20 * T, 2 * T, 10 * T]},
                  peers={"gemm/int8/onednn": [5 * T, 5 * T, 2.5 * T]})
        document, _ = self.document("--cases", "int8", "--rounds", "3")
        self.assertAlmostEqual(self.row(document, "onednn")["ratio"], 2)
        self.assertAlmostEqual(self.row(document, "onednn")["range"][0], 0.2)

    def test_without_amx_ratios_are_shown_and_no_goal_is_held(self):
        self.plan(assay={"gemm.throughput": 1 * T}, isa={"gemm.throughput": "avx512", "gemm.ceiling": "avx512"})
        document, status = self.document("--cases", "int8,bf16")
        self.assertEqual(status, 0)
        for case in document["cases"]:
            self.assertEqual([(row["goal"], row["verdict"]) for row in case["rows"]], [(None, None)] * 2)
            self.assertIn("the goals are for amx", case["title"])
            self.assertEqual(case["warnings"], [])
        done = self.run_it("--cases", "int8")
        self.assertIn("0 ratios within their goal, 0 outside", done.stdout)

    def test_amx_that_assay_leaves_unused_is_told(self):
        self.plan(isa={"gemm.throughput": "avx512", "gemm.ceiling": "amx"})
        document, _ = self.document("--cases", "int8", flags=AVX512_FLAGS + " amx_tile amx_int8")
        told = document["cases"][0]["warnings"]
        self.assertIn("its ceiling is that of amx", told[0])
        self.assertIn("the CPU has amx, and assay used avx512", told[1])
        document, _ = self.document("--cases", "int8", "--isa", "avx512", flags=AVX512_FLAGS + " amx_int8")
        self.assertEqual(len(document["cases"][0]["warnings"]), 1)

    def test_the_goal_of_avx512_is_held_on_every_cpu_that_has_it(self):
        self.plan(assay={"gemm.ceiling": 26 * T}, isa={"gemm.throughput": "avx512", "gemm.ceiling": "avx512"})
        document, status = self.document("--cases", "int8_avx512")
        self.assertEqual(status, 0)
        self.assertEqual(self.row(document, "ceiling")["goal"], {"at_least": 0.75})
        self.assertEqual(self.row(document, "ceiling")["verdict"], "ok")
        self.assertIsNone(self.row(document, "onednn")["goal"])
        for call in self.calls():
            if call[0] == "assay":
                self.assertIn("isa=avx512", call[3])
            else:
                self.assertEqual(call[2], "AVX512_CORE_BF16")
        (self.folder / "calls").unlink()
        document, status = self.document("--cases", "int8_avx512,gemv_int8", flags="avx512f avx512bw avx512dq avx512vl")
        self.assertEqual(status, 3)
        self.assertEqual([case["status"] for case in document["cases"]], ["skipped", "measured"])
        self.assertIn("no avx512_vnni", document["cases"][0]["reason"])
        self.assertNotIn("gemm.throughput", [call[1] for call in self.calls()])

    def test_all_take_turns_and_so_does_who_goes_first(self):
        document, _ = self.document("--cases", "f32", "--rounds", "4")
        parties = ["gemm.throughput", "gemm/f32/openblas/n:2048", "gemm/f32/onednn/n:2048", "gemm.ceiling"]
        expected = [parties[(start + at) % 4] for start in range(4) for at in range(4)]
        self.assertEqual([call[1] for call in self.calls()], expected)
        self.assertEqual(document["cases"][0]["order"][3:6], ["ceiling", "openblas", "onednn"])

    def test_all_get_the_same_product_on_the_same_cpus(self):
        document, _ = self.document("--cases", "bf16", "--seconds", "3", "--isa", "avx2")
        assay, peer, ceiling = self.calls()
        for setting in ("precision=bf16", "m=2048", "n=2048", "k=2048", "threads=1", "isa=avx2"):
            self.assertIn(setting, assay[3])
        for setting in ("precision=bf16", "threads=1", "isa=avx2"):
            self.assertIn(setting, ceiling[3])
        self.assertIn("--benchmark_min_time=3", peer[3])
        self.assertEqual(peer[2], "AVX2_VNNI")
        first = str(cpu.allowed()[0])
        for command in document["cases"][0]["commands"].values():
            at = command.index("taskset")
            self.assertEqual(command[at:at + 3], ["taskset", "-c", first])
        self.assertEqual(list(document["cases"][0]["commands"]), ["assay", "onednn", "ceiling"])

    def test_neon_goes_to_assay_alone(self):
        self.plan(isa={"gemm.throughput": "neon", "gemm.ceiling": "neon"})
        self.document("--cases", "f32", "--isa", "neon")
        for call in self.calls():
            self.assertEqual("isa=neon" in call[3], call[0] == "assay", call)
            self.assertIsNone(call[2])

    def test_who_is_not_limited_is_told_no_instruction_set(self):
        self.document("--cases", "f32")
        for call in self.calls():
            self.assertIsNone(call[2])
            self.assertFalse([word for word in call[3] if word.startswith("isa=")])
        (self.folder / "calls").unlink()
        self.document("--cases", "f32", "--isa", "avx512")
        limits = {call[1]: call[2] for call in self.calls() if call[0] == "kernel_benchmarks"}
        self.assertEqual(limits, {"gemm/f32/openblas/n:2048": None, "gemm/f32/onednn/n:2048": "AVX512_CORE_BF16"})

    def test_a_ceiling_or_peer_that_cannot_leaves_the_others_and_is_3(self):
        self.plan(assay_does={"gemm.ceiling": "skipped"})
        document, status = self.document("--cases", "int8", "--rounds", "2")
        self.assertEqual((status, document["cases"][0]["status"]), (3, "incomplete"))
        self.assertEqual(document["cases"][0]["reason"], "ceiling: assay: not on this machine")
        self.assertEqual(self.quantities(document), ["onednn"])
        self.assertEqual(self.row(document, "onednn")["verdict"], "ok")
        self.assertEqual([call[1] for call in self.calls()].count("gemm.ceiling"), 1)
        self.assertNotIn("ceiling", document["cases"][0]["order"])
        self.plan(peers_do={"gemm/f32/onednn": "not possible here"})
        document, status = self.document("--cases", "f32")
        self.assertEqual(status, 3)
        self.assertEqual(self.quantities(document), ["openblas", "ceiling"])
        self.assertEqual(document["cases"][0]["reason"], "oneDNN: says the benchmark")
        self.plan(assay={"gemm.throughput": 1 * T}, assay_does={"gemm.ceiling": "skipped"})
        self.assertEqual(self.document("--cases", "int8")[1], 1)

    def test_a_case_of_which_nothing_is_left_is_skipped(self):
        self.plan(assay_does={"quantized.gemv": "skipped"})
        document, status = self.document("--cases", "gemv_int8")
        self.assertEqual((status, document["cases"][0]["status"]), (3, "skipped"))
        self.assertEqual(document["cases"][0]["rows"], [])

    def test_without_the_memory_a_vectors_case_keeps_what_reading_in_turns_gave(self):
        self.plan(assay_does={"memory.bandwidth": "skipped"})
        document, status = self.document("--cases", "gemv_int8")
        self.assertEqual((status, document["cases"][0]["status"]), (3, "incomplete"))
        self.assertEqual(self.quantities(document), ["reading"])
        self.plan(assay_does={"quantized.gemv": "no limit"})
        document, status = self.document("--cases", "gemv_int8")
        self.assertEqual((status, document["cases"][0]["status"]), (4, "failed"))
        self.assertIn("does not say what reading", document["cases"][0]["reason"])

    def test_a_wrong_unit_or_a_missing_figure_fails_the_case_and_the_others_go_on(self):
        for more, word in (({"units": {"gemm.throughput": "flop/second"}}, "in flop/second, not in operation/second"),
                           ({"units": {"gemm.ceiling": "operation"}}, "gemm.ceiling in operation, not"),
                           ({"assay_does": {"gemm.throughput": "no metric"}}, "no gemm.throughput"),
                           ({"assay_does": {"gemm.throughput": "failed"}}, "not on this machine"),
                           ({"assay_does": {"gemm.ceiling": "rubbish"}}, "no outcome"),
                           ({"assay": {"gemm.throughput": 0}}, "a sample of nothing"),
                           ({"peers": {"gemm/int8/onednn": 0}}, "came out as nothing"),
                           ({"peers_do": {"gemm/int8/onednn": "no rate"}}, "no op/s"),
                           ({"peers_do": {"gemm/int8/onednn": "no match"}}, "0 figures of gemm/int8/onednn/n:2048"),
                           ({"peers_do": {"gemm/int8/onednn": "rubbish"}}, "printed no figures"),
                           ({"peers_do": {"gemm/int8/onednn": "wrong result"}}, "wrong result: says")):
            with self.subTest(more=more):
                self.plan(**more)
                document, status = self.document("--cases", "int8,gemv_int4")
                self.assertEqual(status, 4)
                self.assertEqual([case["status"] for case in document["cases"]], ["failed", "measured"])
                self.assertIn(word, document["cases"][0]["reason"])
                self.assertEqual(document["cases"][0]["rows"], [])

    def test_without_the_benchmarks_it_is_4_and_says_how_to_build_them(self):
        given = self.arguments("--cases", "int8")
        without = [word for word in given if "benchmarks" not in word]
        with unittest.mock.patch.object(benchmarks, "BUILT", self.folder / "none"):
            with self.assertRaisesRegex(failures.CannotWork, "cmake --build --preset dev --target kernel_benchmarks$"):
                self.run_here(without)
            output, status = self.run_here([*without[:-2], "--cases", "gemv_int8", "--json", "-"])
        self.assertEqual((status, json.loads(output)["cases"][0]["status"]), (0, "measured"))

    def test_benchmarks_built_without_a_library_are_4(self):
        plan = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
        del plan["kernel_benchmarks"]["figures"]["gemm/f32/onednn"]
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        done = self.run_it("--cases", "f32")
        self.assertEqual(done.returncode, 4)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("has no gemm/f32/onednn/n:2048: it was built without", done.stderr)

    def test_every_case_is_run_and_the_table_fits_80_columns(self):
        output, status = self.run_here([word for word in self.arguments() if word not in ("--shapes", "14336x4096",
                                                                                         "--sizes", "2048")])
        self.assertEqual(status, 1)  # 20 / 36 is no 75 %
        lines = output.splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertEqual(sum(": " in line and not line.startswith(" ") for line in lines), 17)
        self.assertRegex(output, r"oneDNN +10\.0 T +5\.00 T +2\.000 +2\.00–2\.00 +≥ 1\.5  ok")
        self.assertRegex(output, r"reading +57\.0 GB/s +60\.0 GB/s +0\.950 +0\.95–0\.95 +≥ 0\.9  ok")
        self.assertRegex(output, r"memory +28\.5 GB/s +30\.0 GB/s +0\.950 +0\.95–0\.95 +–")

    def test_others_on_the_machine_are_told(self):
        self.plan(conditions={"foreign_cpu": 0.4})
        document, _ = self.document("--cases", "gemv_int8")
        self.assertIn("40 %", document["warnings"][0])

    def test_bad_input_is_2_and_one_line(self):
        for arguments, word in ((("--cases", "sideways"), "accepted: int8"), (("--rounds", "0"), "accepted"),
                                (("--sizes", "2000"), "accepted: 256"), (("--shapes", "4096"), "14336x4096"),
                                (("--threads", "65536"), "accepted: 1 to"), (("--seconds", "nan"), "nan"),
                                (("--isa", "mmx"), "mmx"), (("--json", "/none/such/file"), "--json"),
                                (("--binary", "/none"), "--binary"), (("--benchmarks", "/none"), "--benchmarks"),
                                (("--sideways",), "--sideways")):
            with self.subTest(arguments=arguments):
                with self.assertRaises(failures.BadInput) as raised:
                    self.run_here(self.arguments(*arguments))
                self.assertIn(word, str(raised.exception))
                self.assertNotIn("\n", str(raised.exception))
        self.assertFalse((self.folder / "calls").exists())

    def test_what_assay_calls_unusable_is_2_with_its_words(self):
        self.plan(assay_does={"gemm.throughput": "unusable"})
        done = self.run_it("--cases", "int8", "--isa", "amx")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines()[-1], "crosscheck: this CPU has no such thing")

    def test_interrupted_it_ends_its_tool_and_is_130(self):
        for hangs in ({"assay_does": {"gemm.throughput": "hang"}}, {"peers_do": {"gemm/int8/onednn": "hang"}}):
            with self.subTest(hangs=hangs):
                (self.folder / "calls").unlink(missing_ok=True)
                self.plan(**hangs)
                before = sorted(self.folder.iterdir())
                process = subprocess.Popen(self.command("--cases", "int8", "--json", str(self.folder / "out.json")),
                                           env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                           text=True)
                started = 2 if "peers_do" in hangs else 1
                deadline = time.monotonic() + 30
                while time.monotonic() < deadline and not ((self.folder / "calls").exists() and
                                                           len(self.calls()) == started):
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130)
                self.assertEqual(errors.splitlines()[-1], "crosscheck: interrupted by SIGINT")
                (self.folder / "calls").unlink()
                self.assertEqual(sorted(self.folder.iterdir()), before)
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
    def test_rates_are_scaled(self):
        for value, unit, text in ((14.6e12, "operation/second", "14.6 T"), (485e9, "flop/second", "485 G"),
                                  (7.5e12, "flop/second", "7.50 T"), (1.9e9, "operation/second", "1.90 G")):
            self.assertEqual(report.scaled(value, unit), text)

    def test_every_party_is_first_once_in_as_many_rounds(self):
        parties = ["a", "b", "c"]
        self.assertEqual([pairs.order_of_round(number, parties)[0] for number in range(6)], parties * 2)
        for number in range(3):
            self.assertEqual(sorted(pairs.order_of_round(number, parties)), parties)

    def test_cpus_are_one_of_every_core_first(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, siblings in enumerate(("0-1", "0-1", "2-3", "2-3")):
                place = pathlib.Path(folder, f"cpu{number}", "topology")
                place.mkdir(parents=True)
                (place / "thread_siblings_list").write_text(siblings + "\n", encoding="ascii")
            with unittest.mock.patch.object(os, "sched_getaffinity", return_value={0, 1, 2, 3, 4}):
                self.assertEqual(cpu.allowed(folder), [0, 2, 4, 1, 3])


if __name__ == "__main__":
    unittest.main()
