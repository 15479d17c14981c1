"""cspine's reading beside pydicom's and dcmtk's, in one run on one machine. tests/bench/run starts it."""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pydicom

# What cspine takes from a header, by and large; dcmdump is asked for the same.
TAGS = [
    "0008,0018", "0008,0020", "0008,0030", "0008,0060", "0008,1030", "0008,103e", "0010,0010", "0010,0020", "0018,1210",
    "0020,000d", "0020,000e", "0020,0013", "0020,0032", "0020,0037", "0028,0010", "0028,0011", "0028,0030",
]


class Times(list):
    """Seconds of each round, and processor seconds of all threads, which a busy machine leaves alone."""

    def __init__(self):
        super().__init__()
        self.processor = []

    def add(self, measure, *arguments):
        """Runs a measurement that returns its seconds, or nothing if the whole of it counts, and more that is passed on."""
        begun, used = time.perf_counter(), processor_seconds()
        result = measure(*arguments)
        self.processor.append(processor_seconds() - used)
        self.append(time.perf_counter() - begun if result is None else result[0])
        return result


def processor_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def pydicom_headers(folder):
    """Seconds for every header below a folder, as cspine takes them, without Python's start and imports."""
    begun = time.perf_counter()
    count = 0
    for path in sorted(Path(folder).rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        count += 1
        dataset.StudyInstanceUID, dataset.ImagePositionPatient, dataset.PatientName
    return time.perf_counter() - begun, count


def pydicom_volume(folder):
    """Seconds for a volume of Hounsfield units, by pydicom and its decoders."""
    import numpy
    from pydicom.pixels import apply_modality_lut

    begun = time.perf_counter()
    slices = [pydicom.dcmread(path) for path in sorted(Path(folder).glob("*.dcm"))]
    slices.sort(key=lambda dataset: float(dataset.ImagePositionPatient[2]))
    for dataset in slices:
        dataset.pixel_array_options(decoding_plugin="pylibjpeg")
    volume = numpy.stack([apply_modality_lut(dataset.pixel_array, dataset).astype("i2") for dataset in slices])
    return time.perf_counter() - begun, volume.shape


def whole(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cspine(arguments, threads=None):
    environment = dict(os.environ, **({"RAYON_NUM_THREADS": str(threads)} if threads else {}))
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def line(what, seconds, note=""):
    print(
        f"  {what:<32} {statistics.median(seconds):8.3f} s (least {min(seconds):.3f}, most {max(seconds):.3f}),"
        f" {statistics.median(seconds.processor):.3f} s of processor{note}"
    )


def goal(what, ratio, at_least, processor=""):
    verdict = "reached" if ratio >= at_least else "MISSED"
    print(f"  {what}: {ratio:.2f}{processor} (goal: at least {at_least}) {verdict}")
    return ratio >= at_least


def ratio(slow, fast):
    processor = statistics.median(slow.processor) / statistics.median(fast.processor)
    return statistics.median(slow) / statistics.median(fast), f", by processor time {processor:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", help="the program that `cargo bench --bench parts` builds")
    parser.add_argument("work", type=Path, help="a folder for the inputs")
    parser.add_argument("--from", dest="study", type=Path, required=True, help="a study whose slices are compressed")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    headers, lossless = options.work / f"headers-{options.files}", options.work / f"lossless-{options.slices}"
    if not headers.exists():
        subprocess.run([options.parts, "headers", headers, str(options.files)], check=True)
    if not lossless.exists():
        subprocess.run([options.parts, "lossless", options.study, lossless, str(options.slices)], check=True)
    cores = len(os.sched_getaffinity(0))
    dcmdump = shutil.which("dcmdump")
    reached = True

    load = os.getloadavg()[0]
    if load > cores / 2:
        print(f"the machine is busy (load {load:.1f} on {cores} cores): trust the ratios of processor time")

    print(f"headers of {options.files} files, {cores} cores, {options.rounds} rounds, one after the other in each")
    ours, one, process, theirs, dumped = Times(), Times(), Times(), Times(), Times()
    for _ in range(options.rounds):
        ours.add(cspine, [options.parts, "scan", headers])
        one.add(cspine, [options.parts, "scan", headers], 1)
        process.add(whole, [options.parts, "scan", headers])
        theirs.add(pydicom_headers, headers)
        if dcmdump:
            wanted = [word for tag in TAGS for word in ("+P", tag)]
            dumped.add(whole, [dcmdump, "-q", "+r", "+sd", *wanted, headers])
    line("cspine, scan to studies", ours)
    line("cspine, one thread", one)
    line("cspine, the whole process", process)
    line("pydicom, stop_before_pixels", theirs)
    by_time, by_processor = ratio(theirs, ours)
    reached &= goal("pydicom / cspine", by_time, 10, by_processor)
    if dcmdump:
        line("dcmdump +P, the whole process", dumped)
        by_time, by_processor = ratio(dumped, process)
        reached &= goal("dcmdump / cspine, whole processes", by_time, 1, by_processor)
    else:
        print("  dcmdump is not installed (dcmtk): not compared")

    print(f"volume of {options.slices} JPEG lossless slices, {cores} cores")
    ours, one, theirs = Times(), Times(), Times()
    for _ in range(max(options.rounds // 2, 1)):
        _, voxels, peak = ours.add(cspine, [options.parts, "load", lossless])
        one.add(cspine, [options.parts, "load", lossless], 1)
        theirs.add(pydicom_volume, lossless)
    line("cspine", ours, f", {voxels / statistics.median(ours):.0f} MiB/s of voxels")
    line("cspine, one thread", one)
    line("pydicom with pylibjpeg", theirs)
    by_time, by_processor = ratio(theirs, ours)
    reached &= goal("pydicom / cspine", by_time, 1, by_processor)
    reached &= goal(f"one thread / {cores} cores", statistics.median(one) / statistics.median(ours), 0.8 * cores)
    print(f"  peak memory {peak:.0f} MiB, voxels {voxels:.0f} MiB: {peak / voxels:.2f} times (goal: at most 1.3)", end=" ")
    print("reached" if peak <= 1.3 * voxels else "MISSED")
    reached &= peak <= 1.3 * voxels
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
