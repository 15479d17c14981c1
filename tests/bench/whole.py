"""From a cold folder to all reports: `cspine predict` beside Python pipelines, and its network beside other engines, by
turns on the same cores. tests/bench/whole starts it. Ends with 1 where a goal is missed.

What a contender's memory is: every 50 ms the proportional set sizes (`Pss` of proc_pid_smaps_rollup) of its process and
of all that descend from it are added up, so that what they share counts once; the peak is the largest sum. cspine is one
process, for which the system itself keeps the peak (`VmHWM`, as `wait4` returns it): that larger number counts for it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
SAMPLE_S = 0.05
CLOSE = 1e-3
AGAINST_TORCH, AGAINST_ONNX, OF_MEMORY, OF_NETWORK = 5.0, 2.0, 0.25, 1.0
BATCH = 4
"""Slices that the program gives the network at once."""


def compress(folder: Path) -> None:
    """Rewrites every second study in JPEG lossless (.70), as the RSNA 2022 set's, where it is not so yet."""
    import gdcm

    lossless = gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1)
    for study in sorted(path for path in folder.iterdir() if path.is_dir())[::2]:
        for path in sorted(study.glob("*.dcm")):
            reader = gdcm.ImageReader()
            reader.SetFileName(str(path))
            if not reader.Read():
                raise SystemExit(f"{path} cannot be read")
            image = reader.GetImage()
            if image.GetTransferSyntax().IsEncapsulated():
                continue
            change = gdcm.ImageChangeTransferSyntax()
            change.SetTransferSyntax(lossless)
            change.SetInput(image)
            writer = gdcm.ImageWriter()
            changed = change.Change()
            writer.SetFile(reader.GetFile())
            writer.SetImage(change.GetOutput())
            part = path.with_suffix(".part")
            writer.SetFileName(str(part))
            if not (changed and writer.Write()):
                raise SystemExit(f"{path} cannot be compressed")
            part.replace(path)


class Memory(threading.Thread):
    """Watches a process and its descendants; `peak` in MiB."""

    def __init__(self, process: int):
        super().__init__(daemon=True)
        self.process, self.peak, self.over = process, 0.0, threading.Event()

    def run(self):
        while not self.over.wait(SAMPLE_S):
            self.peak = max(self.peak, sum(map(proportional_mib, descendants(self.process))))


def descendants(process: int) -> list[int]:
    """A process and all that descend from it, as far as they are still there."""
    found, waiting = [], [process]
    while waiting:
        found.append(one := waiting.pop())
        try:
            threads = os.listdir(f"/proc/{one}/task")
            for thread in threads:
                waiting += map(int, Path(f"/proc/{one}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def proportional_mib(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


class Contender:
    """A command, what its runs took, and the numbers that it gave."""

    def __init__(self, name: str, command: list, parse, alone: bool = False):
        self.name, self.command, self.parse, self.alone = name, [str(word) for word in command], parse, alone
        self.seconds, self.processor, self.peaks, self.numbers = [], [], [], {}

    def run(self, cores: set[int]) -> None:
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile("w+") as out:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
            environment["HOME"] = home
            begun = time.perf_counter()
            process = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=environment,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
            memory = Memory(process.pid)
            memory.start()
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds.append(time.perf_counter() - begun)
            process.returncode = os.waitstatus_to_exitcode(status)
            memory.over.set()
            memory.join()
            if process.returncode not in (0, 1):
                raise SystemExit(f"{self.name} ended with {process.returncode}: {' '.join(self.command)}")
            self.processor.append(usage.ru_utime + usage.ru_stime)
            self.peaks.append(max(memory.peak, usage.ru_maxrss / 1024 if self.alone else 0.0))
            out.seek(0)
            self.numbers = self.parse(out.read())

    def line(self, slices: int) -> None:
        seconds, processor, peak = map(statistics.median, (self.seconds, self.processor, self.peaks))
        print(
            f"  {self.name:<28} {seconds:7.2f} s (least {min(self.seconds):.2f}, most {max(self.seconds):.2f}),"
            f" {slices / seconds:6.1f} slices/s, {processor:7.2f} s of processor, {peak:6.0f} MiB"
        )


def of_program(text: str) -> dict:
    """Overall and C1 to C7 of each study, `None` where not seen, as `cspine predict --format json` says."""
    analyses = {item["study_instance_uid"]: item["analysis"] for item in json.loads(text)["studies"]}
    return {
        study: [analysis["overall"], *(level["probability"] for level in analysis["levels"])]
        for study, analysis in analyses.items()
    }


def of_pipeline(text: str) -> dict:
    """The same as `pipeline.py` says."""
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["study"]: [line["overall"], *line["levels"]] for line in lines if "study" in line}


def apart(ours: dict, theirs: dict) -> float:
    """The largest difference of any number; infinite where one has a number and the other none."""
    worst = 0.0 if ours.keys() == theirs.keys() else float("inf")
    for study in ours.keys() & theirs.keys():
        pairs = [(a, b) for a, b in zip(ours[study] or [None], theirs[study] or [None]) if (a, b) != (None, None)]
        worst = max([worst, *(float("inf") if a is None or b is None else abs(a - b) for a, b in pairs)])
    return worst


def goal(what: str, value: float, reached: bool, wanted: str) -> bool:
    print(f"  {what}: {value:.4g} (goal: {wanted}) {'reached' if reached else 'MISSED'}")
    return reached


def whole(options, cores: set[int]) -> bool:
    """Folder to reports; whether all goals are reached."""
    files = sorted(options.studies.rglob("*.dcm"))
    for path in files:
        # All is in the system's cache for everybody.
        path.read_bytes()
    pipeline = [sys.executable, HERE / "pipeline.py", options.studies, "--model", options.model, "--engine"]
    program = [options.program, "predict", "--again", "--format", "json", "--model", options.model, options.studies]
    ours = Contender("cspine predict", program, of_program, alone=True)
    torch = [Contender("pydicom + PyTorch", [*pipeline, "torch"], of_pipeline)]
    if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
        torch.append(Contender("pydicom + PyTorch, bf16", [*pipeline, "torch", "--bf16"], of_pipeline))
    onnx = Contender("pydicom + ONNX Runtime", [*pipeline, "onnx"], of_pipeline)
    everyone = [ours, onnx, *torch]
    for number in range(options.rounds):
        for contender in everyone[number % len(everyone) :] + everyone[: number % len(everyone)]:
            contender.run(cores)
    print(f"{len(ours.numbers)} studies, {len(files)} slices, cold processes")
    print(f"{len(cores)} cores, {options.rounds} rounds by turns")
    for contender in everyone:
        contender.line(len(files))
    reached = True
    for contender in everyone[1:]:
        far = apart(ours.numbers, contender.numbers)
        if contender.name.endswith("bf16"):
            print(f"  numbers of {contender.name}: {far:.2g} apart (bfloat16 rounds more than the goal allows)")
        else:
            reached &= goal(f"numbers of {contender.name}, largest difference", far, far <= CLOSE, f"at most {CLOSE}")
    fastest = min(torch, key=lambda contender: statistics.median(contender.seconds))
    for contender, least in ((fastest, AGAINST_TORCH), (onnx, AGAINST_ONNX)):
        ratio, work = (
            statistics.median(getattr(contender, what)) / statistics.median(getattr(ours, what))
            for what in ("seconds", "processor")
        )
        reached &= goal(
            f"{contender.name} / cspine, by processor time {work:.2f}, by time",
            ratio,
            ratio >= least,
            f"at least {least}",
        )
    share = statistics.median(ours.peaks) / statistics.median(fastest.peaks)
    reached &= goal(f"peak memory of cspine / {fastest.name}", share, share <= OF_MEMORY, f"at most {OF_MEMORY}")
    return reached


def network(options, cores: set[int]) -> bool:
    """Slices a second of the network alone; whether the program's session is the fastest."""
    engines = ["onnxruntime", "openvino", "openvino-bf16", "torch", "torch-bf16"]
    if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        engines = [engine for engine in engines if not engine.endswith("bf16")]
    speeds: dict[str, list[float]] = {"cspine": [], **{engine: [] for engine in engines}}
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        environment["HOME"] = home

        def told(command: list) -> str:
            pinned = {"preexec_fn": lambda: os.sched_setaffinity(0, cores)}
            done = subprocess.run(
                [str(word) for word in command], capture_output=True, text=True, env=environment, **pinned
            )
            if done.returncode not in (0, 1) or not done.stdout:
                raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
            return done.stdout

        for _ in range(options.rounds):
            words = told([options.program, "doctor", "--bench", "--engine", "cpu", "--model", options.model])
            bench = next(line for line in words.splitlines() if "bench cpu" in line)
            speeds["cspine"].append(float(bench.split(f" by {BATCH}")[0].split()[-1]))
            for engine in engines:
                text = told([sys.executable, HERE / "network.py", engine, options.model / "model.onnx", BATCH])
                speeds[engine].append(float(text.split()[-1]))
    print(f"the network alone, {BATCH} slices at once, {len(cores)} cores, {options.rounds} rounds by turns")
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    for name, median in medians.items():
        print(f"  {name:<28} {median:7.1f} slices/s (least {min(speeds[name]):.1f}, most {max(speeds[name]):.1f})")
    best = max(engines, key=medians.get)
    ratio = medians["cspine"] / medians[best]
    return goal(f"cspine / {best}", ratio, ratio >= OF_NETWORK, f"at least {OF_NETWORK}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, help="cspine, built for release")
    parser.add_argument(
        "studies", type=Path, help="a folder with a folder for each study; every second becomes JPEG lossless"
    )
    parser.add_argument("--model", type=Path, default=HERE.parent.parent / "models/phantom-b0", help="a model package")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), help="pin everybody to so many")
    parser.add_argument("--only", choices=("whole", "network"), help="one of the two parts")
    options = parser.parse_args()
    options.program = options.program.resolve()
    cores = set(sorted(os.sched_getaffinity(0))[: options.cores])
    load = os.getloadavg()[0]
    if load > len(cores) / 2:
        print(f"the machine is busy (load {load:.1f}): trust the ratios of processor time")
    reached = True
    if options.only != "network":
        compress(options.studies)
        reached &= whole(options, cores)
    if options.only != "whole":
        reached &= network(options, cores)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
